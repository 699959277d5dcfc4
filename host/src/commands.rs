//! The commands of the `orla` program that are more than a line.

pub(crate) mod operate;
