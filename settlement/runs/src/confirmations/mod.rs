mod camt;
mod csv_file;
pub mod entry;
mod matching;
mod pain002;
mod read;
mod xml;
pub use read::read;
#[cfg(test)]
mod tests;
