//! stub
pub mod schedules;
pub mod seals;
pub mod windows;
