//! What shards tell one another, in letters that the driver carries.

use super::Core;
use crate::call::ReferWord;
use crate::events::DialogWord;
use sip::home::ShardNo;
use sip::time::Now;

/// A letter of another shard.
pub(crate) enum Word {
    /// Of the dialog that a REFER names.
    Refer(ReferWord),
    /// Of the dialogs that a document names.
    Dialogs(DialogWord),
}

impl Core {
    /// Which shard this is.
    pub(crate) fn shard_no(&self) -> ShardNo {
        ShardNo(u8::try_from(self.shard).unwrap_or_default())
    }

    /// What another shard asks or tells.
    pub(super) fn on_word(&mut self, now: Now, word: Word) {
        match word {
            Word::Refer(word) => self.on_refer_word(now, word),
            Word::Dialogs(word) => self.on_dialog_word(now, word),
        }
    }
}
