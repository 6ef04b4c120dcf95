//! Amounts as they are asked for: text in whole tokens or whole currency units, which has no meaning before it is given a scale.

mod error;

pub use error::AmountRefusal;
use scrip::money::{Decimal, MICRO_SCALE};
use scrip::{AmountError, Micro, Scale, Tokens};
use serde::de::Visitor;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use utoipa::ToSchema;

/// An amount as it is shown: a decimal string, such as `"12.50"`.
#[derive(Debug, Clone, Copy)]
pub struct ShownAmount(Decimal);

impl ShownAmount {
    /// A number of tokens of this scale.
    pub fn tokens(amount: Tokens, scale: Scale) -> Self {
        Self(amount.display(scale))
    }

    /// Money in whole currency units, with six decimals.
    pub fn micro(amount: Micro) -> Self {
        Self(amount.display(MICRO_SCALE))
    }

    /// A sum of money, which may be negative, or larger than any one amount.
    pub fn micro_sum(sum: i128) -> Self {
        Self(Decimal::new(sum, MICRO_SCALE))
    }
}

impl Serialize for ShownAmount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// An amount as it is written in JSON: a string in whole tokens, such as `"12.50"`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = String, pattern = r"^(0|[1-9][0-9]{0,17})(\.[0-9]{1,6})?$", example = "12.50")]
pub struct AmountText(String);

impl AmountText {
    /// The amount in smallest units; `field` is what the refusal names.
    pub fn tokens(&self, field: &'static str, scale: Scale) -> Result<Tokens, AmountRefusal> {
        Tokens::parse(&self.0, scale).map_err(|error| AmountRefusal { field, error })
    }

    /// The amount as money in whole currency units, at most six decimals.
    pub fn micro(&self, field: &'static str) -> Result<Micro, AmountRefusal> {
        Micro::parse(&self.0).map_err(|error| AmountRefusal { field, error })
    }

    /// The same, where nothing is an amount too: a limit may be none at all.
    pub fn micro_or_zero(&self, field: &'static str) -> Result<Micro, AmountRefusal> {
        match self.micro(field) {
            Err(AmountRefusal { error: AmountError::Zero, .. }) => Ok(Micro::ZERO),
            read => read,
        }
    }

    /// The text as it was sent.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for AmountText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = AmountText;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an amount, which is a JSON string such as \"12.50\" and never a number")
            }

            fn visit_str<E>(self, text: &str) -> Result<AmountText, E> {
                Ok(AmountText(text.to_owned()))
            }
        }
        deserializer.deserialize_str(Text)
    }
}
