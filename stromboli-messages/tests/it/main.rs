//! What the crate promises, from the outside.

mod strict;
mod vectors;
