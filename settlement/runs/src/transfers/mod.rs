mod reasons;
mod states;
pub use reasons::*;
pub use states::*;
