//! Another configuration is in force: what it has no account for is bound no longer.

use crate::shard::Core;
use sip::registration::server::{Aor, ContactEvent};
use sip::time::Now;

impl Core {
    /// Ends the bindings, and with them the GRUUs, of addresses-of-record that nobody has any more (RFC 5627 §5.4).
    pub(crate) fn review_registrations(&mut self, now: Now) {
        let registrars = &self.snapshot.registrars;
        let is_gone = |aor: &&Aor| registrars.account(aor).is_none();
        let gone: Vec<Aor> = self.office.aors().filter(is_gone).cloned().collect();
        for aor in gone {
            self.reject_registration(now, &aor);
        }
    }

    /// The configuration may have changed while bindings were being kept, or could not be.
    pub(super) fn look_again(&mut self, now: Now, aor: &Aor) {
        if self.snapshot.registrars.account(aor).is_none() {
            self.reject_registration(now, aor);
        }
    }

    /// Ends the bindings of an address-of-record for good. One whose bindings are just being kept is looked at again then.
    fn reject_registration(&mut self, now: Now, aor: &Aor) {
        if self.office.is_busy(aor) {
            return;
        }
        // A row that cannot be taken out now is left out at the next start: there is no account for it.
        self.office.forget_row(aor);
        if let Some(change) = self.office.end(aor, ContactEvent::Rejected, |_| true) {
            tracing::info!(%aor, "nobody has this address-of-record any more: its bindings end");
            self.tell(now, &change);
        }
    }
}
