//! The plugin's settings.

use serde_json::Value;

/// Whose rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Era {
    /// One crash of ten is bad.
    Y2019,
    /// Two of ten or three of twenty are, and half must be valid.
    Y2024,
}

/// What the job file may set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// Whose rule; default 2024.
    pub era: Era,
}

impl Settings {
    /// Reads JSON text.
    ///
    /// # Errors
    /// One message for each setting that is unknown or has a value that it cannot have.
    pub fn read(json: &str) -> Result<Self, Vec<String>> {
        let table = match serde_json::from_str(json) {
            Ok(Value::Object(table)) => table,
            Ok(_) => return Err(vec!["settings are no table".to_owned()]),
            Err(error) => return Err(vec![format!("settings cannot be read: {error}")]),
        };
        let mut settings = Self { era: Era::Y2024 };
        let mut errors = Vec::new();
        for (key, value) in &table {
            match (key.as_str(), value.as_str()) {
                ("era", Some("2019")) => settings.era = Era::Y2019,
                ("era", Some("2024")) => settings.era = Era::Y2024,
                ("era", _) => errors.push(format!("era is {value}: it can be \"2019\" or \"2024\"")),
                _ => errors.push(format!("unknown setting {key}: there is only era")),
            }
        }
        if errors.is_empty() { Ok(settings) } else { Err(errors) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_era() {
        assert_eq!(Settings::read("{}"), Ok(Settings { era: Era::Y2024 }));
        assert_eq!(Settings::read(r#"{"era": "2019"}"#), Ok(Settings { era: Era::Y2019 }));
    }

    #[test]
    fn refuses_what_it_does_not_know() {
        let errors = Settings::read(r#"{"era": 2019, "runs": 3}"#).expect_err("two mistakes");
        assert_eq!(errors, ["era is 2019: it can be \"2019\" or \"2024\"", "unknown setting runs: there is only era"]);
        assert!(Settings::read("[]").is_err());
        assert!(Settings::read("{").is_err());
    }
}
