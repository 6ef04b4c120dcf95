//! The settings: what they are called, what they are when nobody says otherwise, and where they come from.
//!
//! Shape: [`Settings::load`] lays three layers over each other: `default.toml` (compiled in, every key explained there),
//! a file, the environment. A flag of a command is put on top by the command. An unknown key is an error.
//! This crate reads settings; it opens nothing, starts nothing and knows no default that is not in `default.toml`.

use serde::Deserialize;
use std::collections::HashMap;
use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// The compiled-in settings; also the reference of all keys.
pub const DEFAULT_TOML: &str = include_str!("../default.toml");

/// Environment names look like `SCRIPHOUSE__SERVER__LISTEN`: two underscores part the words, because keys contain single ones.
const ENVIRONMENT_PREFIX: &str = "SCRIPHOUSE";
const ENVIRONMENT_SEPARATOR: &str = "__";

/// All settings, one field per section of the file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// How HTTP is served.
    pub server: ServerSettings,
    /// Where the data is.
    pub database: DatabaseSettings,
    /// The posting engine's limits.
    pub engine: EngineSettings,
    /// The schedules' heartbeat.
    pub scheduler: SchedulerSettings,
    /// Sessions and passwords.
    pub access: AccessSettings,
}

/// `[server]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerSettings {
    /// Address and port.
    pub listen: SocketAddr,
    /// Whether HTTP is served at all.
    pub http_enabled: bool,
    /// Open connections.
    pub connections_max: usize,
    /// Requests under way at the same time.
    pub requests_max: usize,
    /// Time for the head of a request, in milliseconds.
    pub header_timeout_ms: u64,
    /// Milliseconds that a client may leave an answer unread.
    pub write_timeout_ms: u64,
    /// Time for a whole request, in milliseconds.
    pub request_timeout_ms: u64,
    /// Time that running requests get after a signal to stop, in milliseconds.
    pub drain_timeout_ms: u64,
    /// The largest request body, in bytes.
    pub body_bytes_max: usize,
    /// The largest body of a bulk request, in bytes.
    pub bulk_bytes_max: usize,
    /// Lines of a bulk request.
    pub bulk_lines_max: usize,
    /// Bulk requests that are worked on at the same time.
    pub bulk_requests_max: usize,
}

/// `[database]`
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatabaseSettings {
    /// The server's login; absent: a private PostgreSQL.
    pub url: Option<String>,
    /// The administrator's login, for migrations.
    pub admin_url: Option<String>,
    /// Connections in the pool.
    pub connections_max: usize,
    /// The private PostgreSQL's directory; absent: the usual place.
    pub data_dir: Option<PathBuf>,
}

/// `[engine]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EngineSettings {
    /// Postings that may wait.
    pub queue_max: usize,
    /// Postings in one database tx.
    pub batch_max: usize,
    /// Batches committed at the same time.
    pub writers: usize,
}

/// `[scheduler]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SchedulerSettings {
    /// Whether this process runs the schedules.
    pub enabled: bool,
    /// Time between two looks for due schedules, in milliseconds.
    pub beat_ms: u64,
}

/// `[access]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccessSettings {
    /// How long a user stays signed in, in hours.
    pub session_hours: u32,
    /// Credentials that may wait to be looked up.
    pub look_ups_max: usize,
    /// Passwords hashed at the same time.
    pub password_hashes_at_once: usize,
}

/// Why the settings cannot be used; each is one sentence for the person who wrote them.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The file cannot be opened.
    #[error("the settings file {path} cannot be read: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A key is unknown, or a value has the wrong type.
    #[error("the settings are not usable: {0}")]
    Unusable(String),
    /// A value is of the right type and still makes no sense.
    #[error("the setting {key} must be at least 1")]
    Zero {
        /// The key with its section.
        key: &'static str,
    },
    /// A bulk request of that many lines would be refused for ever.
    #[error("the setting server.bulk_lines_max must be at most engine.queue_max: a bulk request waits in the queue whole")]
    BulkOutgrowsQueue,
}

impl Settings {
    /// The defaults, then `file`, then this process's environment.
    pub fn load(file: Option<&Path>) -> Result<Self, SettingsError> {
        Self::layer(file, None)
    }

    fn layer(file: Option<&Path>, environment: Option<HashMap<String, String>>) -> Result<Self, SettingsError> {
        let mut builder = config::Config::builder().add_source(toml_text(DEFAULT_TOML));
        if let Some(path) = file {
            let text = std::fs::read_to_string(path).map_err(|source| SettingsError::File { path: path.to_owned(), source })?;
            // Parsed on its own first, so that a typing mistake is reported with the file's name.
            let layer = config::Config::builder().add_source(toml_text(&text)).build();
            builder = builder.add_source(layer.map_err(|e| SettingsError::Unusable(format!("{}: {}", path.display(), one_line(&e))))?);
        }
        let environment = config::Environment::with_prefix(ENVIRONMENT_PREFIX).separator(ENVIRONMENT_SEPARATOR).source(environment);
        let settings: Self = builder
            .add_source(environment)
            .build()
            .and_then(config::Config::try_deserialize)
            .map_err(|e| SettingsError::Unusable(one_line(&e)))?;
        settings.checked()
    }

    /// A zero here would not mean "none" but a server that hangs; each of these is refused at the start.
    fn checked(self) -> Result<Self, SettingsError> {
        let Self { server, database, engine, scheduler, access } = &self;
        let at_least_one = [
            ("server.connections_max", server.connections_max == 0),
            ("server.requests_max", server.requests_max == 0),
            ("server.header_timeout_ms", server.header_timeout_ms == 0),
            ("server.write_timeout_ms", server.write_timeout_ms == 0),
            ("server.request_timeout_ms", server.request_timeout_ms == 0),
            ("server.body_bytes_max", server.body_bytes_max == 0),
            ("server.bulk_bytes_max", server.bulk_bytes_max == 0),
            ("server.bulk_lines_max", server.bulk_lines_max == 0),
            ("server.bulk_requests_max", server.bulk_requests_max == 0),
            ("database.connections_max", database.connections_max == 0),
            ("engine.queue_max", engine.queue_max == 0),
            ("engine.batch_max", engine.batch_max == 0),
            ("engine.writers", engine.writers == 0),
            ("scheduler.beat_ms", scheduler.beat_ms == 0),
            ("access.session_hours", access.session_hours == 0),
            ("access.look_ups_max", access.look_ups_max == 0),
            ("access.password_hashes_at_once", access.password_hashes_at_once == 0),
        ];
        match at_least_one.into_iter().find(|(_, zero)| *zero) {
            Some((key, _)) => Err(SettingsError::Zero { key }),
            None if server.bulk_lines_max > engine.queue_max => Err(SettingsError::BulkOutgrowsQueue),
            None => Ok(self),
        }
    }
}

/// The compiled-in settings alone: no file, no environment.
impl Default for Settings {
    fn default() -> Self {
        Self::layer(None, Some(HashMap::new())).expect("default.toml is part of the program and tested")
    }
}

/// Logins carry passwords, and settings are logged.
impl fmt::Debug for DatabaseSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { url, admin_url, connections_max, data_dir } = self;
        f.debug_struct("DatabaseSettings")
            .field("url", &url.as_ref().map(|_| "(hidden)"))
            .field("admin_url", &admin_url.as_ref().map(|_| "(hidden)"))
            .field("connections_max", connections_max)
            .field("data_dir", data_dir)
            .finish()
    }
}

fn toml_text(text: &str) -> config::File<config::FileSourceString, config::FileFormat> {
    config::File::from_str(text, config::FileFormat::Toml)
}

/// The parser draws the offending line with an arrow under it; a sentence has room for the words only.
fn one_line(error: &config::ConfigError) -> String {
    let text = error.to_string();
    let words = text.lines().map(str::trim).filter(|line| !line.contains('|') && !line.is_empty());
    words.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from_environment(pairs: &[(&str, &str)]) -> Result<Settings, SettingsError> {
        Settings::layer(None, Some(pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()))
    }

    fn from_text(text: &str) -> Result<Settings, SettingsError> {
        let path = std::env::temp_dir().join(format!("scriphouse-settings-{}-{}.toml", std::process::id(), text.len()));
        std::fs::write(&path, text).unwrap();
        let settings = Settings::layer(Some(&path), Some(HashMap::new()));
        std::fs::remove_file(&path).unwrap();
        settings
    }

    #[test]
    fn the_defaults_are_complete() {
        let settings = Settings::default();
        assert!(settings.server.listen.ip().is_loopback(), "a fresh installation is open to nobody else");
        assert_eq!(settings.engine.batch_max, 4000);
        assert_eq!(settings.database.url, None);
    }

    #[test]
    fn every_key_of_the_defaults_has_a_comment_and_is_known_when_it_is_uncommented() {
        let mut text = String::new();
        let mut commented = false;
        for line in DEFAULT_TOML.lines() {
            // A key without a default stands as `#key = value`; a sentence has a space after the hash.
            let key = line.strip_prefix('#').filter(|rest| rest.starts_with(char::is_alphabetic)).unwrap_or(line);
            if key.contains(" = ") && !key.starts_with('#') {
                assert!(commented, "{key} is not explained");
                commented = false;
            } else {
                commented = key.starts_with("# ");
            }
            text.push_str(key);
            text.push('\n');
        }
        let settings = from_text(&text).unwrap();
        assert!(settings.database.url.is_some() && settings.database.admin_url.is_some() && settings.database.data_dir.is_some());
    }

    #[test]
    fn the_production_example_is_usable() {
        let settings = from_text(include_str!("../production.example.toml")).unwrap();
        assert_eq!(settings.server.connections_max, 8192);
        assert_eq!(settings.server.body_bytes_max, Settings::default().server.body_bytes_max);
    }

    #[test]
    fn the_environment_is_stronger_than_the_defaults() {
        let settings =
            from_environment(&[("SCRIPHOUSE__SERVER__LISTEN", "0.0.0.0:80"), ("SCRIPHOUSE__SCHEDULER__ENABLED", "false")]).unwrap();
        assert_eq!(settings.server.listen.to_string(), "0.0.0.0:80");
        assert!(!settings.scheduler.enabled);
    }

    #[test]
    fn a_mistake_is_told_in_one_sentence_that_names_it() {
        let mistakes = [
            (from_text("[server]\nlisten_on = 1").unwrap_err(), "listen_on"),
            (from_text("[server]\nlisten = \"here\"").unwrap_err(), "listen"),
            (from_text("[server\n").unwrap_err(), "scriphouse-settings"),
            (from_text("[engine]\nbatch_max = 0").unwrap_err(), "engine.batch_max"),
            (from_text("[engine]\nqueue_max = 4999").unwrap_err(), "server.bulk_lines_max"),
            (from_environment(&[("SCRIPHOUSE__ENGINE__BATCH_MAX", "many")]).unwrap_err(), "engine.batch_max"),
            (from_environment(&[("SCRIPHOUSE__ENGINE__BATCHES", "1")]).unwrap_err(), "batches"),
            (Settings::load(Some(Path::new("/nowhere/at/all.toml"))).unwrap_err(), "/nowhere/at/all.toml"),
        ];
        for (error, named) in mistakes {
            let sentence = error.to_string();
            assert!(sentence.contains(named) && !sentence.contains('\n'), "{sentence}");
        }
    }

    #[test]
    fn a_password_does_not_reach_the_log() {
        let settings = from_environment(&[("SCRIPHOUSE__DATABASE__URL", "postgres://a:secret@b/c")]).unwrap();
        assert!(!format!("{settings:?}").contains("secret"));
    }
}
