//! Bundles taken apart and packed anew, as somebody would who has read how they are made and wants one to say something else.

use sha2::{Digest, Sha256};
use std::io::Read;

/// Names and bytes of members, in their order.
pub(crate) type Members = Vec<(String, Vec<u8>)>;

/// The members of a bundle, and the second that they bear.
#[derive(Debug, Clone)]
pub(crate) struct Unpacked {
    pub(crate) members: Members,
    second: u64,
}

impl Unpacked {
    /// Reads an archive as any program does that knows tar.
    pub(crate) fn of(bundle: &[u8]) -> Self {
        let mut archive = tar::Archive::new(bundle);
        let mut second = 0;
        let members = archive.entries().expect("an archive").map(|entry| {
            let mut entry = entry.expect("a member");
            second = entry.header().mtime().expect("an instant");
            let name = String::from_utf8(entry.path_bytes().into_owned()).expect("a plain name");
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).expect("its bytes");
            (name, bytes)
        });
        let members = members.collect();
        Self { members, second }
    }

    pub(crate) fn member(&self, name: &str) -> &[u8] {
        let found = self.members.iter().find(|(member, _)| member == name);
        &found.unwrap_or_else(|| panic!("{name} is a member")).1
    }

    pub(crate) fn text(&self, name: &str) -> String {
        String::from_utf8(self.member(name).to_vec()).expect("text")
    }

    /// Changes a cell of a table, by the line, counted from 1 behind the header, and the column's name.
    pub(crate) fn edit(&mut self, name: &str, line: usize, column: &str, edit: impl Fn(&str) -> String) {
        let text = self.text(name);
        let mut lines: Vec<String> = text.split_inclusive("\r\n").map(str::to_owned).collect();
        let place = lines[0].trim_end().split(',').position(|header| header == column).expect("the table has the column");
        let mut cells: Vec<String> = lines[line].trim_end().split(',').map(str::to_owned).collect();
        cells[place] = edit(&cells[place]);
        lines[line] = format!("{}\r\n", cells.join(","));
        self.set(name, lines.concat().into_bytes());
    }

    /// Replaces the first occurrence of a text in a member.
    pub(crate) fn replace(&mut self, name: &str, from: &str, to: &str) {
        let text = self.text(name);
        assert!(text.contains(from), "{name} says {from}: {text}");
        self.set(name, text.replacen(from, to, 1).into_bytes());
    }

    pub(crate) fn set(&mut self, name: &str, bytes: Vec<u8>) {
        let found = self.members.iter_mut().find(|(member, _)| member == name);
        found.unwrap_or_else(|| panic!("{name} is a member")).1 = bytes;
    }

    /// Makes bundle.json fit the members again.
    pub(crate) fn list_anew(&mut self) {
        let said = self.text("bundle.json");
        let run = said.split("\"run\": \"").nth(1).expect("it names a run").split('"').next().expect("the id ends");
        let members: Vec<String> = self.members.iter().filter(|(name, _)| name != "bundle.json").map(listed).collect();
        let text = format!("{{\n  \"format\": 3,\n  \"run\": \"{run}\",\n  \"members\": [\n{}\n  ]\n}}\n", members.join(",\n"));
        self.set("bundle.json", text.into_bytes());
    }

    /// The archive of these members, whatever they are.
    pub(crate) fn pack(&self) -> Vec<u8> {
        let mut archive = tar::Builder::new(Vec::new());
        for (name, bytes) in &self.members {
            let mut header = tar::Header::new_ustar();
            header.set_path(name).expect("a short name");
            header.set_mode(0o444);
            header.set_uid(0);
            header.set_gid(0);
            header.set_size(bytes.len().try_into().expect("a size"));
            header.set_mtime(self.second);
            header.set_entry_type(tar::EntryType::Regular);
            header.set_cksum();
            archive.append(&header, bytes.as_slice()).expect("memory takes it");
        }
        archive.into_inner().expect("memory takes it")
    }
}

fn listed((name, bytes): &(String, Vec<u8>)) -> String {
    let (size, hash) = (bytes.len(), hex::encode(Sha256::digest(bytes)));
    format!("    {{\n      \"name\": \"{name}\",\n      \"size_bytes\": {size},\n      \"sha256\": \"{hash}\"\n    }}")
}
