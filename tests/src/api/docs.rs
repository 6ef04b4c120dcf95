//! The reference page comes from the program alone: a house without the internet can be read about.

use crate::support::audit;

/// The values of `src="..."` and `href="..."`.
fn references(html: &str) -> Vec<&str> {
    let starts = html.match_indices("src=\"").chain(html.match_indices("href=\"")).map(|(at, name)| at + name.len());
    starts.map(|at| html[at..].split('"').next().expect("the value ends")).collect()
}

#[test]
fn the_reference_page_loads_nothing_from_another_host() {
    audit(async |house| {
        let page = house.nobody().get("/docs/").await;
        assert_eq!((page.status.as_u16(), page.header("content-type").starts_with("text/html")), (200, true), "{}", page.text());
        let html = page.text();
        let assets = references(&html);
        let kinds = |ending: &str| assets.iter().filter(|asset| asset.ends_with(ending)).count();
        assert!(kinds(".js") >= 3 && kinds(".css") >= 1, "{assets:?}");

        for asset in assets {
            assert!(!asset.contains("//") && !asset.starts_with('/'), "{asset} is not beside the page");
            let answer = house.nobody().get(&format!("/docs/{}", asset.trim_start_matches("./"))).await;
            assert_eq!(answer.status, 200, "{asset}");
            if asset.ends_with(".css") {
                let text = answer.text();
                let loads = text.split("url(").skip(1).map(|rest| rest.trim_start_matches(['"', '\'']));
                let elsewhere: Vec<&str> = loads.filter(|rest| rest.starts_with("http") || rest.starts_with("//")).collect();
                assert!(elsewhere.is_empty() && !text.contains("@import"), "{asset}: {elsewhere:?}");
            }
            if asset.ends_with("initializer.js") {
                let text = answer.text();
                assert!(text.contains("\"/openapi.json\""), "it shows this house: {text}");
                assert!(!text.contains("://"), "it asks no other host: {text}");
            }
        }
    });
}
