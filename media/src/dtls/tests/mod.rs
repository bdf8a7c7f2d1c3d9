//! Associations under virtual time.

mod agreement;
mod desk;
mod hostile;
mod keys;
mod loss;
mod newer;
mod wire;
