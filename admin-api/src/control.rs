//! The port: what the admin API needs of the process it administers.

mod call;
mod configuration;
mod error;
mod health;
mod leg;
mod location;
mod order;
mod overload;
mod quality;
mod quarantine;
mod registration;
mod subscription;
mod target;
mod trunk;
mod turn;
mod values;

use std::pin::Pin;

pub use call::{
    CallDetail, CallFilter, CallPage, CallQuery, CallRole, CallState, CallSummary, Party, PolicyStep,
    RoleSince,
};
pub use configuration::{
    Change, ConfigurationFault, ConfigurationInForce, Effect, ReloadMode, ReloadOutcome,
};
pub use error::{ControlError, Unavailability};
pub use health::{ComponentReadiness, Health, Phase, Readiness};
pub use leg::{
    Codec, Direction, Dtls, DtlsState, Dtmf, DtmfForm, EarlyDialog, Ice, IcePair, IceState, Leg, LegEnd,
    LegRole, LegState, MediaCounters, SessionRefresher, SessionTimer, Stream, Transcoding,
};
pub use location::{
    AnswerSource, LocatedTarget, Location, NameAnswer, NameQuestion, TargetOutcome, TrunkTarget, TrunkTargets,
};
pub use order::{CallOrder, OrderedParty, ShownCaller};
pub use overload::{Overload, Restriction, RestrictionAlgorithm, ServerLoad, ShardLoad};
pub use quality::{Hundredths, VoipMetrics};
pub use quarantine::{Quarantine, QuarantinedSource};
pub use registration::{
    Binding, Registration, RegistrationPage, RegistrationQuery, Subscription, SubscriptionList,
};
pub use subscription::{
    CarriedQuery, CarriedState, CarriedSubscription, CarriedSubscriptionPage, CarriedUsage,
};
pub use target::{Target, TargetList, TargetState, TargetTrouble};
pub use trunk::{Trunk, TrunkFlow, TrunkList, TrunkRegistration, TrunkRegistrationState};
pub use turn::{
    TurnAllocation, TurnAllocationPage, TurnChannel, TurnCredentials, TurnCredentialsOrder, TurnQuery,
    TurnTraffic, TurnTransport,
};
pub use values::{CallId, Cursor, InvalidValue, ReasonText, Seconds, Timestamp};

use crate::metrics::MetricFamily;

/// The future that every method of [`Control`] returns.
///
/// It may be dropped at any await point: the client went away, or
/// [`Options::request_timeout`](crate::Options::request_timeout) passed. A command that has left for its
/// shard by then is carried out all the same.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, ControlError>> + Send + 'a>>;

/// What the admin API asks of the process that it administers.
///
/// The models that come back are owned copies; nothing here holds up a shard. An implementation answers
/// [`ControlError::Unavailable`] when a shard has not answered within 2 s.
pub trait Control: Send + Sync + 'static {
    /// One page of the calls that exist, ordered by (shard, sequence). Pages promise no common instant: a
    /// call that begins or ends between two pages may be missing from both.
    fn calls(&self, query: CallQuery) -> Answer<'_, CallPage>;

    /// One call with its legs; [`ControlError::CallNotFound`] when it does not exist (any more).
    fn call(&self, id: CallId) -> Answer<'_, CallDetail>;

    /// Places a call, and answers while its first party rings.
    ///
    /// # Errors
    /// [`ControlError::InvalidOrder`] for what cannot be meant, [`ControlError::OrderRefused`] where no way leads to one of the
    /// parties at this moment, [`ControlError::Unavailable`] where there is no room for another call.
    fn place_call(&self, order: CallOrder) -> Answer<'_, CallDetail>;

    /// Starts to end a call on all its legs, and answers before it has ended. A call that is ending
    /// already accepts the command once more.
    fn end_call(&self, id: CallId, reason: Option<ReasonText>) -> Answer<'_, ()>;

    /// Every target that is remembered.
    fn targets(&self) -> Answer<'_, TargetList>;

    /// The load of the shards, and what servers have said of theirs.
    fn overload(&self) -> Answer<'_, Overload>;

    /// Who is not heard, because too much of it was refused.
    fn quarantine(&self) -> Answer<'_, Quarantine>;

    /// Hears a source again; [`ControlError::SourceNotFound`] when it is not in quarantine (any more).
    fn lift_quarantine(&self, source: String) -> Answer<'_, ()>;

    /// Every trunk of the configuration in force, with our registrations.
    fn trunks(&self) -> Answer<'_, TrunkList>;

    /// Where calls to a trunk would go, as each shard knows it; [`ControlError::TrunkNotFound`] when the configuration in force
    /// does not have it.
    fn trunk_targets(&self, trunk: String) -> Answer<'_, TrunkTargets>;

    /// One page of what is registered, ordered by address-of-record. Pages promise no common instant.
    fn registrations(&self, query: RegistrationQuery) -> Answer<'_, RegistrationPage>;

    /// What is registered for an address-of-record; [`ControlError::RegistrationNotFound`] when nothing is.
    fn registration(&self, address: String) -> Answer<'_, Registration>;

    /// The subscriptions to what is registered for an address-of-record; none for one that nobody subscribes to.
    fn subscriptions(&self, address: String) -> Answer<'_, SubscriptionList>;

    /// One page of the subscriptions from one side to the other, by shard and in the order that they began. Pages promise no
    /// common instant.
    fn carried_subscriptions(&self, query: CarriedQuery) -> Answer<'_, CarriedSubscriptionPage>;

    /// One page of the allocations of the TURN servers, by network and port. Pages promise no common instant.
    fn turn_allocations(&self, query: TurnQuery) -> Answer<'_, TurnAllocationPage>;

    /// Makes credentials for a TURN server.
    ///
    /// # Errors
    /// [`ControlError::TurnServerNotFound`], [`ControlError::InvalidTurnCredentials`] for what no credentials can say.
    fn turn_credentials(&self, order: TurnCredentialsOrder) -> Answer<'_, TurnCredentials>;

    /// Ends every binding of an address-of-record; its devices may register again.
    fn end_registration(&self, address: String) -> Answer<'_, ()>;

    /// The configuration in force. Secrets appear as the references that the file has, never as values.
    fn configuration(&self) -> Answer<'_, ConfigurationInForce>;

    /// Reads the configuration again from its source and, with [`ReloadMode::Apply`], puts it in force.
    ///
    /// # Errors
    /// [`ControlError::InvalidConfiguration`] with every fault of the document, an unreadable file included
    /// (the old version then stays in force); [`ControlError::ReloadUnderWay`].
    fn reload(&self, mode: ReloadMode) -> Answer<'_, ReloadOutcome>;

    /// Whether the process is alive. An error means that it should be restarted.
    fn health(&self) -> Answer<'_, Health>;

    /// Whether new calls should be sent here, with the reason of each component that is not ready.
    fn readiness(&self) -> Answer<'_, Readiness>;

    /// A snapshot of all metrics.
    fn metrics(&self) -> Answer<'_, Vec<MetricFamily>>;
}
