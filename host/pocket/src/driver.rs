//! Drivers without end: each an instance of one of four sources, with a name and numbers of its own.

use crate::catalog::Driver;
use crate::draw::Draw;
use crate::sources;
use crate::sources::DriverSource;

/// A class of drivers.
pub(crate) struct Class {
    /// Its folder below `drivers/`, and the word that begins subjects.
    pub(crate) name: &'static str,
    pub(crate) folder: &'static str,
    pub(crate) kind: DriverSource,
    what: [&'static str; 3],
}

/// All classes.
pub(crate) const CLASSES: [Class; 6] = [
    Class {
        name: "hwmon",
        folder: "drivers/hwmon",
        kind: sources::SENSOR,
        what: ["temperature sensor", "voltage monitor", "fan monitor"],
    },
    Class { name: "iio", folder: "drivers/iio", kind: sources::SENSOR, what: ["light sensor", "pressure sensor", "converter"] },
    Class {
        name: "rtc",
        folder: "drivers/rtc",
        kind: sources::CLOCK,
        what: ["real-time clock", "clock of the power chip", "clock with a battery"],
    },
    Class {
        name: "gpio",
        folder: "drivers/gpio",
        kind: sources::LINES,
        what: ["port expander", "shift register", "port of the bridge"],
    },
    Class { name: "leds", folder: "drivers/leds", kind: sources::LINES, what: ["LED driver", "matrix of LEDs", "row of LEDs"] },
    Class {
        name: "input",
        folder: "drivers/input",
        kind: sources::EVENTS,
        what: ["keypad controller", "row of touch buttons", "remote control"],
    },
];

/// A new driver of `class` whose name is none of `names`.
pub(crate) fn draw(class: &Class, names: &[String], draw: &mut Draw) -> Driver {
    const MAKERS: [&str; 12] = ["al", "bq", "dr", "fx", "ks", "lt", "mx", "nv", "or", "pk", "tz", "wm"];
    let name = loop {
        let name = format!("{}{}", draw.pick(&MAKERS), draw.between(11, 999));
        if !names.contains(&name) {
            break name;
        }
    };
    let what = *draw.pick(&class.what);
    let mut capital = what.to_owned();
    if let Some(first) = capital.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    let mut values = vec![
        ("name".to_owned(), name.clone()),
        ("NAME".to_owned(), name.to_ascii_uppercase()),
        ("class".to_owned(), class.name.to_owned()),
        ("what".to_owned(), what.to_owned()),
        ("What".to_owned(), capital),
    ];
    let mut number = |key: &str, choices: &[u32]| values.push((key.to_owned(), draw.pick(choices).to_string()));
    number("channels", &[2, 3, 4, 6, 8]);
    number("scale", &[125, 250, 488, 500]);
    number("limit", &[1200]);
    number("ramp", &[3, 5, 7, 11]);
    number("rate", &[1, 8, 64, 1024]);
    number("alarms", &[1, 2]);
    number("epoch", &[0, 1800, 28_800, 46_800]);
    number("nvram_bytes", &[32, 64, 96]);
    number("lines", &[4, 8, 12, 16]);
    number("ring", &[8, 16]);
    number("repeat", &[3]);
    number("code", &[1, 28, 57, 103]);
    let path = format!("{}/{name}.c", class.folder);
    Driver { name, path, values }
}
