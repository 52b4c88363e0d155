//! What wit-bindgen makes of `wit/`: one world a hook, so that a plugin exports exactly the hooks it has.
//!
//! The only place with unsafe code, all of it generated. Imports are shared by all worlds; a component imports those that it calls.
#![allow(unsafe_code, missing_docs, unreachable_pub, unused_qualifications, clippy::all, reason = "generated")]
#![allow(clippy::allow_attributes_without_reason, clippy::semicolon_if_nothing_returned, reason = "generated")]
#![allow(clippy::uninlined_format_args, clippy::needless_pass_by_value, reason = "generated")]

/// Imports, and the export every plugin has.
pub mod base {
    wit_bindgen::generate!({
        inline: "
            package kbisect:sdk;
            world base {
                import kbisect:plugin/types@0.1.0;
                import kbisect:plugin/log@0.1.0;
                import kbisect:plugin/settings@0.1.0;
                import kbisect:plugin/bisection@0.1.0;
                import kbisect:plugin/git@0.1.0;
                export kbisect:plugin/plugin@0.1.0;
            }
        ",
        path: "../../wit",
        world: "kbisect:sdk/base",
        generate_all,
        pub_export_macro: true,
        additional_derives: [PartialEq],
    });
}

/// Makes the module of one hook's world.
macro_rules! hook {
    ($name:ident, $world:literal, $wit:literal) => {
        pub mod $name {
            wit_bindgen::generate!({
                inline: $wit,
                path: "../../wit",
                world: $world,
                with: { "kbisect:plugin/types@0.1.0": crate::bindings::base::kbisect::plugin::types },
                pub_export_macro: true,
                additional_derives: [PartialEq],
            });
        }
    };
}

hook!(classifier, "kbisect:sdk/classifier", "package kbisect:sdk; world classifier { export kbisect:plugin/classifier@0.1.0; }");
hook!(
    flake_policy,
    "kbisect:sdk/flake-policy",
    "package kbisect:sdk; world flake-policy { export kbisect:plugin/flake-policy@0.1.0; }"
);
hook!(recipients, "kbisect:sdk/recipients", "package kbisect:sdk; world recipients { export kbisect:plugin/recipients@0.1.0; }");
hook!(suspicion, "kbisect:sdk/suspicion", "package kbisect:sdk; world suspicion { export kbisect:plugin/suspicion@0.1.0; }");
