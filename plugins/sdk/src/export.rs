//! The macro [`export!`](crate::export!): turns a type with hooks into a component.

/// Exports a type's hooks from the component: `export!(MyPlugin: classifier, flake_policy, recipients, suspicion);` with the hooks
/// that it has. The type implements [`Plugin`](crate::Plugin) and the trait of each hook named.
///
/// Natively nothing is exported, so that the same crate serves unit tests as an ordinary library.
#[macro_export]
macro_rules! export {
    ($plugin:ident: $($hook:ident),+ $(,)?) => {
        const _: () = {
            use $crate::bindings::base::exports::kbisect::plugin::plugin::Guest;

            impl Guest for $plugin {
                fn check() -> Result<(), Vec<String>> {
                    $crate::host::report_panics();
                    <$plugin as $crate::Plugin>::check(&$crate::host::Live)
                }
            }

            #[cfg(target_family = "wasm")]
            $crate::bindings::base::export!($plugin with_types_in $crate::bindings::base);
        };
        $($crate::export_hook!($plugin $hook);)+
    };
}

/// Exports one hook; [`export!`] calls this.
#[doc(hidden)]
#[macro_export]
macro_rules! export_hook {
    ($plugin:ident classifier) => {
        const _: () = {
            use $crate::bindings::classifier::exports::kbisect::plugin::classifier::Guest;

            impl Guest for $plugin {
                fn markers() -> Vec<String> {
                    $crate::host::report_panics();
                    <$plugin as $crate::Classifier>::markers(&$crate::host::Live)
                }

                fn classify(console: Vec<u8>, so_far: Vec<$crate::CrashReport>) -> Result<Vec<$crate::classifier::Edit>, String> {
                    $crate::host::report_panics();
                    <$plugin as $crate::Classifier>::classify(&$crate::host::Live, &console, &so_far)
                }

                fn relate(seen: $crate::CrashReport, at: String) -> Result<Option<$crate::classifier::Relation>, String> {
                    $crate::host::report_panics();
                    <$plugin as $crate::Classifier>::relate(&$crate::host::Live, &seen, &at)
                }
            }

            #[cfg(target_family = "wasm")]
    $crate::bindings::classifier::export!($plugin with_types_in $crate::bindings::classifier);
        };
    };
    ($plugin:ident flake_policy) => {
        const _: () = {
            use $crate::bindings::flake_policy::exports::kbisect::plugin::flake_policy::Guest;

            impl Guest for $plugin {
                fn judge(ask: $crate::flake_policy::Ask) -> Result<$crate::flake_policy::Judgement, String> {
                    $crate::host::report_panics();
                    <$plugin as $crate::FlakePolicy>::judge(&$crate::host::Live, &ask)
                }
            }

            #[cfg(target_family = "wasm")]
    $crate::bindings::flake_policy::export!($plugin with_types_in $crate::bindings::flake_policy);
        };
    };
    ($plugin:ident recipients) => {
        const _: () = {
            use $crate::bindings::recipients::exports::kbisect::plugin::recipients::Guest;

            impl Guest for $plugin {
                fn select(
                    suspects: Vec<$crate::recipients::Suspect>,
                    so_far: Vec<$crate::recipients::Recipient>,
                ) -> Result<Vec<$crate::recipients::Edit>, String> {
                    $crate::host::report_panics();
                    <$plugin as $crate::Recipients>::select(&$crate::host::Live, &suspects, &so_far)
                }
            }

            #[cfg(target_family = "wasm")]
    $crate::bindings::recipients::export!($plugin with_types_in $crate::bindings::recipients);
        };
    };
    ($plugin:ident suspicion) => {
        const _: () = {
            use $crate::bindings::suspicion::exports::kbisect::plugin::suspicion::Guest;

            impl Guest for $plugin {
                fn weigh(commits: Vec<$crate::suspicion::CommitFacts>) -> Result<Vec<f64>, String> {
                    $crate::host::report_panics();
                    <$plugin as $crate::Suspicion>::weigh(&$crate::host::Live, &commits)
                }

                fn attribute(
                    commit: $crate::suspicion::CommitFacts,
                    releases: u32,
                ) -> Result<Option<$crate::suspicion::Credit>, String> {
                    $crate::host::report_panics();
                    <$plugin as $crate::Suspicion>::attribute(&$crate::host::Live, &commit, releases)
                }

                fn because(commits: Vec<$crate::suspicion::CommitFacts>) -> Result<Vec<String>, String> {
                    $crate::host::report_panics();
                    <$plugin as $crate::Suspicion>::because(&$crate::host::Live, &commits)
                }

                fn qualify(
                    commit: $crate::suspicion::CommitFacts,
                    diff: Option<String>,
                ) -> Result<Option<$crate::suspicion::Caveat>, String> {
                    $crate::host::report_panics();
                    <$plugin as $crate::Suspicion>::qualify(&$crate::host::Live, &commit, diff.as_deref())
                }
            }

            #[cfg(target_family = "wasm")]
    $crate::bindings::suspicion::export!($plugin with_types_in $crate::bindings::suspicion);
        };
    };
}
