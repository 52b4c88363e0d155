//! A plugin's settings: any TOML becomes JSON.

use serde_json::Map;
use serde_json::Value;
use toml::Spanned;
use toml::de::DeValue;

use super::value;
use super::value::Read;

/// A value as JSON. Dates become strings; what JSON cannot say (`inf`, `nan`) is refused.
pub(super) fn read(value: &Spanned<DeValue<'_>>) -> Read<Value> {
    match value.get_ref() {
        DeValue::String(text) => Ok(Value::from(text.as_ref())),
        DeValue::Integer(_) => value::integer(value, i128::from(i64::MIN)..=i128::from(i64::MAX))
            .map(|number| Value::from(i64::try_from(number).expect("checked by the range"))),
        DeValue::Float(_) => {
            let number = value::float(value)?;
            serde_json::Number::from_f64(number)
                .map_or_else(|| value::complain(value, "must be finite"), |n| Ok(Value::Number(n)))
        }
        DeValue::Boolean(switch) => Ok(Value::from(*switch)),
        DeValue::Datetime(date) => Ok(Value::from(date.to_string())),
        DeValue::Array(items) => value::gather(items.iter().map(read)).map(Value::Array),
        DeValue::Table(table) => {
            let pairs = table.iter().map(|(key, value)| Ok((key.get_ref().to_string(), read(value)?)));
            value::gather(pairs).map(|pairs| Value::Object(pairs.into_iter().collect::<Map<_, _>>()))
        }
    }
}
