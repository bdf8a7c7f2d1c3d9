mod beside;
mod codecs;
mod direction;
mod framing;
mod rig;
mod support;
