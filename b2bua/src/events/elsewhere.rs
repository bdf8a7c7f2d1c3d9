//! Documents that name dialogs of other shards (RFC 4235): those say what the subscriber's side calls them.
//!
//! ```text
//!   NOTIFY ─► held ── Question ─► each shard that has a dialog of its document
//!     it crosses with their names, in its turn ◄── Answer ──┘
//! ```
//! A shard that does not say in time leaves its dialogs the names that they came with.

use super::document::Known;
use super::{BridgeKey, Life};
use crate::shard::{Core, Word};
use sip::driver::{IoAction, Letter};
use sip::home::ShardNo;
use sip::session::RequestId;
use sip::subscription::dialog_info::{Names, Renamed};
use sip::time::{Mono, Now};
use sip::{NetworkId, Received};
use std::time::Duration;

/// How long another shard may take; it answers in its next turn, unless its rings are full. Whoever tells waits much longer (timer F).
const PATIENCE: Duration = Duration::from_secs(2);

/// So many dialogs of one document are asked for; more keep their names.
const MOST: usize = 64;

/// What shards tell one another of dialogs in documents.
pub(crate) enum DialogWord {
    Question(Box<Question>),
    Answer(Box<Answer>),
}

/// A document names dialogs.
pub(crate) struct Question {
    /// Who asks, for which NOTIFY of which subscription.
    shard: ShardNo,
    bridge: BridgeKey,
    id: RequestId,
    /// The networks of the notifier and the subscriber.
    networks: (NetworkId, NetworkId),
    dialogs: Vec<Dialog>,
}

/// The names of those that are known.
pub(crate) struct Answer {
    bridge: BridgeKey,
    id: RequestId,
    known: Known,
}

/// A dialog as a document names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Dialog {
    call_id: Box<str>,
    local_tag: Box<str>,
    remote_tag: Box<str>,
}

impl Dialog {
    fn read(names: &Names<'_>) -> Option<Self> {
        let (local, remote) = (names.local_tag.as_deref()?, names.remote_tag.as_deref()?);
        Some(Self { call_id: (*names.call_id).into(), local_tag: local.into(), remote_tag: remote.into() })
    }

    /// Whether those are its names.
    pub(super) fn is(&self, names: &Names<'_>) -> bool {
        *self.call_id == *names.call_id
            && names.local_tag.as_deref() == Some(&*self.local_tag)
            && names.remote_tag.as_deref() == Some(&*self.remote_tag)
    }

    fn names(&self) -> Names<'_> {
        Names {
            call_id: (&*self.call_id).into(),
            local_tag: Some((&*self.local_tag).into()),
            remote_tag: Some((&*self.remote_tag).into()),
        }
    }
}

/// A NOTIFY that waits for what other shards say, or for its turn behind one that does. There are no more than its session may have
/// requests pending.
pub(super) struct HeldNotify {
    id: RequestId,
    request: Received,
    /// How many shards are still to say.
    waits_for: usize,
    known: Known,
    pub(super) until: Mono,
}

impl Core {
    /// Has the shards asked that have dialogs which a NOTIFY's document names; it waits. `false`: it need not.
    pub(super) fn hold_notify(
        &mut self,
        now: Now,
        key: BridgeKey,
        id: RequestId,
        request: &Received,
    ) -> bool {
        let Some(bridged) = self.subscriptions.get(key) else { return false };
        if bridged.subscriber.life != Life::Open {
            return false;
        }
        let mut questions: Vec<(ShardNo, Vec<Dialog>)> = Vec::new();
        let mut asked = 0;
        self.each_dialog_told(request, |names| {
            let ours = names.remote_tag.as_deref().and_then(|tag| self.endpoint.elsewhere(tag));
            let Some((shard, dialog)) = ours.zip(Dialog::read(names)).filter(|_| asked < MOST) else {
                return;
            };
            asked += 1;
            match questions.iter_mut().find(|(of, _)| *of == shard) {
                Some((_, dialogs)) => dialogs.push(dialog),
                None => questions.push((shard, vec![dialog])),
            }
        });
        if questions.is_empty() && bridged.held.is_empty() {
            return false;
        }
        let networks = (bridged.notifier.network, bridged.subscriber.network);
        let held = HeldNotify {
            id,
            request: request.clone(),
            waits_for: questions.len(),
            known: Known::default(),
            until: now.mono + PATIENCE,
        };
        self.subscriptions.with(key, |bridged| bridged.held.push(held));
        let own = self.shard_no();
        for (shard, dialogs) in questions {
            let question = Question { shard: own, bridge: key, id, networks, dialogs };
            let word = Word::Dialogs(DialogWord::Question(Box::new(question)));
            self.io.push_back(IoAction::Tell(shard, Letter::new(word)));
        }
        true
    }

    /// What another shard asks or tells of dialogs.
    pub(crate) fn on_dialog_word(&mut self, now: Now, word: DialogWord) {
        match word {
            DialogWord::Question(question) => {
                let Question { shard, bridge, id, networks, dialogs } = *question;
                let name = |dialog: Dialog| {
                    let renamed: Option<Renamed> = self.name_across(networks, &dialog.names());
                    renamed.map(|renamed| (dialog, renamed))
                };
                let known = dialogs.into_iter().filter_map(name).collect();
                let word = Word::Dialogs(DialogWord::Answer(Box::new(Answer { bridge, id, known })));
                self.io.push_back(IoAction::Tell(shard, Letter::new(word)));
            }
            DialogWord::Answer(answer) => {
                let Answer { bridge, id, known } = *answer;
                // It may have crossed by now, or be over.
                self.subscriptions.with(bridge, |bridged| {
                    if let Some(held) = bridged.held.iter_mut().find(|held| held.id == id) {
                        held.waits_for = held.waits_for.saturating_sub(1);
                        held.known.extend(known);
                    }
                });
                self.release_notifies(now, bridge);
            }
        }
    }

    /// NOTIFYs that wait for nothing any more, or have waited for too long, cross in the order in which they came.
    pub(super) fn release_notifies(&mut self, now: Now, key: BridgeKey) {
        let is_ready = |held: &HeldNotify| held.waits_for == 0 || held.until <= now.mono;
        while let Some(held) = self.subscriptions.with(key, |bridged| {
            let is_first = bridged.held.first().is_some_and(is_ready);
            is_first.then(|| bridged.held.remove(0))
        }) && let Some(HeldNotify { id, request, waits_for, known, .. }) = held
        {
            self.counters.notifies_unnamed += u64::from(waits_for > 0);
            self.take_notify(now, key, id, &request, &known);
        }
    }
}
