//! Requests of peers outside a dialog that the owner answers, such as REGISTER.

use super::Endpoint;
use crate::event::Event;
use crate::received::Received;
use crate::session::{IntentError, Reply, RequestId};
use crate::time::Now;
use crate::transaction::ServerId;

impl Endpoint {
    /// Hands a request up.
    pub(crate) fn ask_owner(&mut self, now: Now, server: ServerId, request: Received) {
        if self.asked.len() >= self.settings.limits.asked {
            self.counters.overloaded += 1;
            let reply = self.unavailable();
            return self.reply(now, server, &request, None, false, &reply);
        }
        self.asked.insert(server, request.clone());
        self.io.tell(Event::Asked { id: RequestId(server), request });
    }

    /// Answers a request that [`Event::Asked`] told of. The response makes no dialog.
    ///
    /// # Errors
    /// The request was answered before, or the response is not final (RFC 4320 §4.1).
    pub fn answer_asked(&mut self, now: Now, id: RequestId, reply: &Reply) -> Result<(), IntentError> {
        if !reply.status.is_final() {
            return Err(IntentError::Status);
        }
        let request = self.asked.remove(&id.0).ok_or(IntentError::Gone)?;
        self.reply(now, id.0, &request, None, false, reply);
        Ok(())
    }

    /// The same for somebody who has proved nothing: nothing is kept of the request, which gets a response of its own when it is
    /// sent again (RFC 3261 §26.3.2.4).
    ///
    /// # Errors
    /// As for [`answer_asked`](Self::answer_asked).
    pub fn turn_away_asked(&mut self, now: Now, id: RequestId, reply: &Reply) -> Result<(), IntentError> {
        self.answer_asked(now, id, reply)?;
        self.servers.forget(id.0);
        Ok(())
    }
}
