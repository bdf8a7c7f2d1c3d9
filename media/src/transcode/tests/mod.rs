mod beside;
mod codecs;
mod direction;
mod rig;
mod support;
