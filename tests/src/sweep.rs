//! A script in foul weather: one message lost, doubled, late or overtaken, the node dead after it, for each message in turn; and
//! storms. Whatever happens, nothing is left behind, both legs of a call have the same end, and the rules are kept that `judge` knows.
//!
//! A failure says how it is replayed: `LIAISON_SWEEP="lost 7"` with the name of the test plays that run alone, and prints it.
//!
//! That it catches what it is for is tested with nodes that lack a recovery (`Defect`): a 2xx, an ACK or a PRACK that is not sent again,
//! no BYE where no ACK comes, none for an answer that crosses CANCEL (`tests/flows/caught.rs`).

use crate::ids::Seeded;
use crate::judge;
use crate::ladder::arrows;
use crate::network::{Datagram, Fate, Weather};
use crate::stage::{End, Played, Stage};
use crate::world::World;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::Duration;

/// A script, and the world that it is played in.
#[derive(Clone, Copy)]
pub struct Flow {
    /// Its world.
    pub world: fn(Weather) -> World,
    /// What the phones say.
    pub play: fn(&mut Stage) -> Played,
}

/// What a node with a defect does not send: each message, with all before it.
pub type Defect = fn(&Datagram, &[Datagram]) -> bool;

/// What befalls a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Harm {
    Lost,
    Doubled,
    /// It comes after it has been sent again.
    Late,
    /// It comes after all that was sent again, and the end of its transaction.
    Overdue,
    /// The next one on the same way comes before it.
    Overtaken,
    /// The node dies once it has been sent, and another life begins.
    Dies,
    /// Not this one, but many by chance.
    Storm,
}

const HARMS: [Harm; 6] = [Harm::Lost, Harm::Doubled, Harm::Late, Harm::Overdue, Harm::Overtaken, Harm::Dies];

impl Harm {
    fn name(self) -> String {
        format!("{self:?}").to_lowercase()
    }

    /// Whether what is sent again makes good for it, so that the script goes through.
    fn is_mended(self) -> bool {
        matches!(self, Self::Lost | Self::Doubled | Self::Late | Self::Overtaken)
    }
}

/// The storms that there are for each script.
const STORMS: std::ops::Range<u64> = 0..100;

/// Those: `SIMULATION_SEEDS=0..10000` makes more than CI has time for.
fn seeds() -> std::ops::Range<u64> {
    let Ok(text) = std::env::var("SIMULATION_SEEDS") else { return STORMS };
    let (first, end) = text.split_once("..").unwrap();
    first.parse().unwrap()..end.parse().unwrap()
}

/// One in eight lost, one in eight doubled, one in eight late.
fn storm(seed: u64) -> Weather {
    let mut chance = Seeded(seed ^ 0x0f70_5707);
    Box::new(move |_| match chance.below(8) {
        0 => Fate::Lost,
        1 => Fate::Doubled,
        2 => Fate::Late(Duration::from_millis(chance.below(800))),
        _ => Fate::Arrives,
    })
}

/// Each harm to each message, and the storms.
fn runs(calm: &[Datagram], storms: std::ops::Range<u64>) -> impl Iterator<Item = (Harm, u64)> {
    let each = HARMS.into_iter().flat_map(move |harm| (1..).zip(calm).map(move |(nth, _)| (harm, nth)));
    each.chain(storms.map(|seed| (Harm::Storm, seed)))
}

impl Flow {
    /// How many messages there are in fair weather, and how many runs a sweep makes of it where nobody asks for more storms.
    pub fn size(self) -> (usize, usize) {
        let log = self.in_fair_weather().world.network.log;
        (log.len(), runs(&log, STORMS).count())
    }

    /// Everything that was sent in fair weather.
    pub fn in_fair_weather(self) -> Stage {
        let mut stage = Stage::new((self.world)(Box::new(|_| Fate::Arrives)), true);
        (self.play)(&mut stage)
            .unwrap_or_else(|stuck| panic!("{}\n{}", stuck.0, arrows(&stage.world.network.log, &[])));
        stage
    }

    /// All runs, of which each may fail by itself.
    pub fn sweep(self) {
        let mut calm = self.in_fair_weather();
        let log = calm.world.network.log.clone();
        calm.leave(End::FAIR);
        if let Ok(one) = std::env::var("LIAISON_SWEEP") {
            let (name, nth) = one.split_once(' ').expect("as in `lost 7`");
            let harm =
                HARMS.into_iter().chain([Harm::Storm]).find(|harm| harm.name() == name).expect("a harm");
            let (stage, outcome) = self.run(harm, nth.parse().expect("a number"), &log);
            println!("{}", arrows(&stage.world.network.log, &[]));
            outcome.unwrap_or_else(|panic| resume_unwind(panic));
            return;
        }
        let runs = runs(&log, seeds());
        let failed = runs.filter(|(harm, nth)| self.run(*harm, *nth, &log).1.is_err());
        let failed: Vec<_> =
            failed.map(|(harm, nth)| format!("LIAISON_SWEEP=\"{} {nth}\"", harm.name())).collect();
        assert!(failed.is_empty(), "again, with the name of the test: {failed:#?}");
    }

    /// Whether a defect of the node is found where each message is lost in turn.
    pub fn catches(self, defect: Defect) -> bool {
        let log = self.in_fair_weather().world.network.log;
        (1..).zip(&log).any(|(nth, _)| {
            let weather = defective(weather(Harm::Lost, nth, &log), defect);
            self.run_in(weather, Harm::Lost, nth).1.is_err()
        })
    }

    fn run(self, harm: Harm, nth: u64, calm: &[Datagram]) -> (Stage, std::thread::Result<()>) {
        self.run_in(weather(harm, nth, calm), harm, nth)
    }

    fn run_in(self, weather: Weather, harm: Harm, nth: u64) -> (Stage, std::thread::Result<()>) {
        let mut world = (self.world)(weather);
        if harm == Harm::Dies {
            world.dies_after = usize::try_from(nth).ok();
        }
        let mut stage = Stage::new(world, false);
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            let played = (self.play)(&mut stage);
            if let (Err(stuck), true) = (&played, harm.is_mended()) {
                panic!("the script does not go on: {}", stuck.0);
            }
            let sent = stage.world.network.log.len();
            assert!(
                harm == Harm::Storm || sent >= usize::try_from(nth).unwrap(),
                "nothing has befallen anything"
            );
            stage
                .leave(End { died: harm == Harm::Dies, answered: !matches!(harm, Harm::Dies | Harm::Storm) });
            let faults = judge::faults(&stage.world.network);
            assert!(faults.is_empty(), "{}", faults.join("\n"));
        }));
        (stage, outcome)
    }
}

/// The same weather, for a node that lacks something.
fn defective(mut weather: Weather, defect: Defect) -> Weather {
    let mut before: Vec<Datagram> = Vec::new();
    Box::new(move |datagram| {
        let (fate, lacks) = (weather(datagram), defect(datagram, &before));
        before.push(datagram.clone());
        if lacks { Fate::Lost } else { fate }
    })
}

/// The weather of a run.
fn weather(harm: Harm, nth: u64, calm: &[Datagram]) -> Weather {
    let fate = match harm {
        Harm::Lost => Fate::Lost,
        Harm::Doubled => Fate::Doubled,
        Harm::Late => Fate::Late(Duration::from_millis(700)),
        Harm::Overdue => Fate::Late(Duration::from_secs(40)),
        Harm::Overtaken => Fate::Late(until_next(nth, calm)),
        Harm::Dies => Fate::Arrives,
        Harm::Storm => return storm(nth),
    };
    Box::new(move |datagram| if datagram.nth == nth { fate } else { Fate::Arrives })
}

/// How long a message is on its way if it comes after the next one on the same way.
fn until_next(nth: u64, calm: &[Datagram]) -> Duration {
    let moment = Duration::from_millis(1);
    let this = calm.iter().find(|d| d.nth == nth);
    let next = this.and_then(|this| {
        let next = calm.iter().find(|d| d.nth > nth && (d.from, d.to) == (this.from, this.to));
        next.map(|next| next.at.since(this.at))
    });
    next.map_or(moment, |wait| (wait + moment).min(Duration::from_millis(400)))
}
