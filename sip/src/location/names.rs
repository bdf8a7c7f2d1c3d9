//! What name servers have answered, for as long as it may be used.

use super::LookupId;
use super::found::{Holding, Source};
use super::records::{Answer, QueryId, Question};
use super::settings::Settings;
use crate::Map;
use crate::time::{Mono, Now};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

/// How long records that are past their time are used before a name server is asked again (RFC 8767 §4).
const RECHECK: Duration = Duration::from_secs(30);
/// The longest that records are used, whatever their TTL: a day.
const LONGEST: Duration = Duration::from_secs(86_400);

/// What became of a question.
#[derive(Debug)]
pub(crate) enum Asked {
    /// The answer is known.
    Known(Holding),
    /// Nobody has asked yet: the shell is to.
    Ask(QueryId),
    /// It has been asked already.
    Waits,
}

/// Answers by question, and the questions that are open.
#[derive(Debug)]
pub(crate) struct Names {
    known: Map<Question, Known>,
    /// In the order of their coming, to know the oldest.
    order: VecDeque<Question>,
    open: BTreeMap<QueryId, Open>,
    asked: u64,
}

#[derive(Debug)]
struct Known {
    answer: Arc<Answer>,
    /// Until when it is used.
    fresh: Mono,
    /// Until when it is better than nothing.
    stale: Mono,
    /// Whether it is used past its time.
    outdated: bool,
}

impl Known {
    /// The same, as it holds now.
    fn holds(&self, now: Now, source: Source) -> Holding {
        let source = if self.outdated { Source::Outdated } else { source };
        Holding { answer: Arc::clone(&self.answer), source, left: self.fresh.since(now.mono) }
    }
}

#[derive(Debug)]
struct Open {
    question: Question,
    waiting: Vec<LookupId>,
}

impl Names {
    /// Nothing is known.
    pub(crate) fn new(hasher: &ahash::RandomState) -> Self {
        Self {
            known: Map::with_hasher(hasher.clone()),
            order: VecDeque::new(),
            open: BTreeMap::new(),
            asked: 0,
        }
    }

    /// Asks for a look-up. It is told by [`heard`](Self::heard), unless the answer is known.
    pub(crate) fn ask(&mut self, now: Now, question: &Question, lookup: LookupId) -> Asked {
        if let Some(holding) = self.look(now, question) {
            return Asked::Known(holding);
        }
        if let Some(open) = self.open.values_mut().find(|open| open.question == *question) {
            open.waiting.push(lookup);
            return Asked::Waits;
        }
        self.asked += 1;
        let id = QueryId(self.asked);
        self.open.insert(id, Open { question: question.clone(), waiting: vec![lookup] });
        Asked::Ask(id)
    }

    /// What is known of a question, without asking anybody.
    pub(crate) fn look(&self, now: Now, question: &Question) -> Option<Holding> {
        let known = self.known.get(question).filter(|known| known.fresh > now.mono)?;
        Some(known.holds(now, Source::Remembered))
    }

    /// A shell's answer has come: the question, what holds now, and who waits for it. `None` for an answer that nobody
    /// asked for, or that came before.
    pub(crate) fn heard(
        &mut self,
        now: Now,
        id: QueryId,
        answer: Answer,
        settings: &Settings,
    ) -> Option<(Question, Holding, Vec<LookupId>)> {
        let Open { question, waiting } = self.open.remove(&id)?;
        let holding = match &answer {
            Answer::Found { ttl, .. } | Answer::Absent { ttl } => {
                let ttl = *ttl;
                self.learn(now, &question, Arc::new(answer), ttl, settings)
            }
            Answer::Refused | Answer::Silent => self.last_known(now, &question, answer),
        };
        Some((question, holding, waiting))
    }

    fn learn(
        &mut self,
        now: Now,
        question: &Question,
        answer: Arc<Answer>,
        ttl: Duration,
        settings: &Settings,
    ) -> Holding {
        let fresh = now.mono + ttl.min(LONGEST);
        let known = Known { answer, fresh, stale: fresh + settings.stale, outdated: false };
        let holding = known.holds(now, Source::Told);
        if self.known.insert(question.clone(), known).is_none() {
            self.order.push_back(question.clone());
        }
        while self.known.len() > settings.limits.names {
            let Some(oldest) = self.order.pop_front() else { break };
            self.known.remove(&oldest);
        }
        holding
    }

    /// What was known before, if no name server says anything and it is not too old (RFC 8767 §4).
    fn last_known(&mut self, now: Now, question: &Question, answer: Answer) -> Holding {
        match self.known.get_mut(question).filter(|known| known.stale > now.mono) {
            Some(known) => {
                (known.fresh, known.outdated) = ((now.mono + RECHECK).min(known.stale), true);
                known.holds(now, Source::Outdated)
            }
            None => Holding { answer: Arc::new(answer), source: Source::Told, left: Duration::ZERO },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::location::records::{RecordKind, Records};
    use slotmap::SlotMap;

    struct Lab {
        names: Names,
        settings: Settings,
        lookup: LookupId,
    }

    fn at(seconds: u64) -> Now {
        Now { mono: Mono::from_epoch(Duration::from_secs(seconds)), ..Now::default() }
    }

    fn question(name: &str) -> Question {
        Question::new(RecordKind::A, name)
    }

    fn found(last: u8, ttl: u64) -> Answer {
        let records = Records::Address(vec![[192, 0, 2, last].into()]);
        Answer::Found { records, ttl: Duration::from_secs(ttl) }
    }

    impl Lab {
        fn new() -> Self {
            let names = Names::new(&ahash::RandomState::with_seeds(1, 2, 3, 4));
            let lookup = SlotMap::<LookupId, ()>::with_key().insert(());
            Self { names, settings: Settings::default(), lookup }
        }

        /// Asks at that second; a question to the shell gets that answer.
        fn ask(&mut self, second: u64, name: &str, answer: Answer) -> (bool, Answer) {
            match self.names.ask(at(second), &question(name), self.lookup) {
                Asked::Known(known) => (false, (*known.answer).clone()),
                Asked::Ask(id) => {
                    let (_, known, waiting) =
                        self.names.heard(at(second), id, answer, &self.settings).unwrap();
                    assert_eq!(waiting, [self.lookup]);
                    (true, (*known.answer).clone())
                }
                Asked::Waits => panic!("nothing is open"),
            }
        }
    }

    #[test]
    fn an_answer_lasts_for_its_ttl() {
        let mut lab = Lab::new();
        assert_eq!(lab.ask(0, "a.example", found(1, 60)), (true, found(1, 60)));
        assert_eq!(lab.ask(59, "A.example.", found(2, 60)), (false, found(1, 60)));
        assert_eq!(lab.ask(60, "a.example", found(2, 60)), (true, found(2, 60)));
        let absent = Answer::Absent { ttl: Duration::from_secs(5) };
        assert_eq!(lab.ask(0, "b.example", absent.clone()), (true, absent.clone()));
        assert_eq!(lab.ask(4, "b.example", found(1, 60)), (false, absent));
        assert_eq!(lab.ask(5, "b.example", found(1, 60)), (true, found(1, 60)));
        assert!(lab.ask(0, "c.example", found(1, 0)).0 && lab.ask(0, "c.example", found(1, 0)).0);
        assert!(lab.ask(0, "d.example", found(1, u64::MAX)).0 && lab.ask(86_400, "d.example", found(2, 1)).0);
    }

    #[test]
    fn rfc8767_4_without_a_name_server_the_last_answer_holds_for_a_while() {
        let mut lab = Lab::new();
        lab.ask(0, "a.example", found(1, 60));
        assert_eq!(lab.ask(61, "a.example", Answer::Silent), (true, found(1, 60)));
        assert_eq!(lab.ask(90, "a.example", Answer::Silent), (false, found(1, 60)), "not asked all the time");
        assert_eq!(lab.ask(91, "a.example", Answer::Refused), (true, found(1, 60)));
        assert_eq!(lab.ask(3_655, "a.example", Answer::Silent), (true, found(1, 60)));
        assert_eq!(lab.ask(3_660, "a.example", Answer::Silent), (true, Answer::Silent), "too old");
        assert_eq!(lab.ask(3_661, "a.example", found(2, 60)), (true, found(2, 60)), "it is back");
        let absent = Answer::Absent { ttl: Duration::ZERO };
        lab.ask(3_800, "a.example", absent.clone());
        assert_eq!(lab.ask(3_801, "a.example", Answer::Silent).1, absent, "gone is an answer, too");
    }

    #[test]
    fn an_answer_says_where_it_comes_from_and_for_how_long_it_is_used() {
        let mut lab = Lab::new();
        let mut told = |second, answer| match lab.names.ask(at(second), &question("a.example"), lab.lookup) {
            Asked::Known(holding) => (holding.source, holding.left.as_secs()),
            Asked::Ask(id) => {
                let (_, holding, _) = lab.names.heard(at(second), id, answer, &lab.settings).unwrap();
                (holding.source, holding.left.as_secs())
            }
            Asked::Waits => panic!("nothing is open"),
        };
        assert_eq!(told(0, found(1, 60)), (Source::Told, 60));
        assert_eq!(told(20, Answer::Silent), (Source::Remembered, 40));
        assert_eq!(told(60, Answer::Silent), (Source::Outdated, 30));
        assert_eq!(told(70, Answer::Silent), (Source::Outdated, 20));
        assert_eq!(told(90, found(1, u64::MAX)), (Source::Told, 86_400));
        assert_eq!(told(91, Answer::Silent), (Source::Remembered, 86_399));
    }

    #[test]
    fn a_question_is_asked_once_and_answered_once() {
        let mut lab = Lab::new();
        let Asked::Ask(id) = lab.names.ask(at(0), &question("a.example"), lab.lookup) else { panic!() };
        assert!(matches!(lab.names.ask(at(0), &question("a.example"), lab.lookup), Asked::Waits));
        let (_, _, waiting) = lab.names.heard(at(1), id, found(1, 1), &lab.settings).unwrap();
        assert_eq!(waiting.len(), 2);
        assert!(lab.names.heard(at(1), id, found(1, 1), &lab.settings).is_none());
    }

    #[test]
    fn beyond_the_limit_the_oldest_answer_is_forgotten() {
        let mut lab = Lab::new();
        lab.settings.limits.names = 2;
        for name in ["a", "b", "a", "c"] {
            lab.ask(0, name, found(1, 60));
        }
        assert!(!lab.ask(0, "b", found(1, 60)).0 && !lab.ask(0, "c", found(1, 60)).0);
        assert!(lab.ask(0, "a", found(1, 60)).0);
        assert_eq!((lab.names.known.len(), lab.names.order.len()), (2, 2));
    }
}
