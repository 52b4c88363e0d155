//! What is said where nothing tells whether the kernel that ran was the one that was built.

use super::Dispatcher;
use crate::error::Error;
use crate::machine::identity::Identity;
use crate::record::event::Event;

impl Dispatcher<'_> {
    /// Says it once.
    pub(super) fn tell_unidentified(&mut self, identity: &Identity) -> Result<(), Error> {
        let Identity::Unknown(why) = identity else { return Ok(()) };
        if std::mem::replace(&mut self.unidentified_told, true) {
            return Ok(());
        }
        let message = format!("nothing tells whether the kernel that runs is the one that was built: {why}");
        self.record(Event::Warned { message })
    }
}
