mod documents;
mod faults;
