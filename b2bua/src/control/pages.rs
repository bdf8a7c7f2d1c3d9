//! Lists that go through the shards one after another.

use super::shard::Shard;
use crate::shard::Command;
use admin_api::control::{ControlError, Cursor};
use tokio::sync::oneshot;

/// What a shard lists: each with its place there, and whether there is more.
type Part<T> = (Vec<(u64, T)>, bool);

/// So many after that place, and where the next page goes on, if there is one. A shard is asked for what is left to fill.
pub(super) async fn page<T>(
    shards: &[Shard],
    after: Option<Cursor>,
    limit: u16,
    command: impl Fn(Option<Cursor>, u16, oneshot::Sender<Part<T>>) -> Command,
) -> Result<(Vec<T>, Option<Cursor>), ControlError> {
    if let Some(cursor) = after.filter(|cursor| usize::from(cursor.shard) >= shards.len()) {
        return Err(ControlError::UnknownCursor(cursor));
    }
    let first = after.map_or(0, |cursor| cursor.shard);
    let mut page = Vec::new();
    for shard in shards.iter().filter(|shard| shard.number >= first) {
        let room = usize::from(limit).saturating_sub(page.len());
        let room = u16::try_from(room).unwrap_or(u16::MAX);
        let after = after.filter(|cursor| cursor.shard == shard.number);
        let (found, more) = shard.ask(|answer| command(after, room, answer)).await?;
        let last = found.last().map(|(sequence, _)| *sequence).or(after.map(|cursor| cursor.sequence));
        page.extend(found.into_iter().map(|(_, one)| one));
        let others = usize::from(shard.number) + 1 < shards.len();
        if more || (others && page.len() >= usize::from(limit)) {
            let next = Cursor { shard: shard.number, sequence: last.unwrap_or_default() };
            return Ok((page, Some(next)));
        }
    }
    Ok((page, None))
}
