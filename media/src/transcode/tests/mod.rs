mod codecs;

mod direction;
mod support;
