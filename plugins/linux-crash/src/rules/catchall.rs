//! Headers that nothing above knows: their own words are the title.

use super::Place;
use super::Row;
use super::row;

pub(super) const ROWS: &[Row] = &[
    row("WARNING: {what:any}", "WARNING: {what}").kind("WARNING").frameless().place(Place::Stamped),
    row("BUG: {what:any}", "BUG: {what}").frameless().place(Place::Stamped),
    row("INFO:\n", "INFO: corrupted").frameless().place(Place::LineStart).corrupted("the header was cut"),
    row("rust_kernel: panicked at", "{what:any} in {frame}").also(&["{what:any}"]),
];
