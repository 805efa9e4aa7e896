//! Defines points and sizes, and the boxes and lines that a layout places.
//!
//! Lengths are in pixels. `x` grows to the right and `y` grows downwards.

/// Size of a box or of a label.
#[derive(Clone, Copy, Default)]
pub(crate) struct Size {
    pub(crate) width: f64,
    pub(crate) height: f64,
}

/// A position on the page, in pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Point {
    pub(crate) x: f64,
    pub(crate) y: f64,
}

/// A holding or control without a holding, as the input of a layout.
#[derive(Clone, Copy)]
pub(crate) struct Link {
    /// Index of the owner's box.
    pub(crate) owner: usize,
    /// Index of the box of the party that is owned.
    pub(crate) owned: usize,
    /// Size of the label.
    pub(crate) label: Size,
    pub(crate) is_control_only: bool,
}

/// The path of a link on the page, with the position of its label.
pub(crate) struct Line {
    /// Corners of the path, from the owner to the box that it owns. Empty if a party holds itself.
    pub(crate) points: Vec<Point>,
    /// Centre of the label.
    pub(crate) label: Point,
}

/// Placed boxes and lines. The origin is arbitrary, so coordinates may be negative.
pub(crate) struct Layout {
    /// Centre of every box.
    pub(crate) boxes: Vec<Point>,
    /// Path of every link, in the order of the links.
    pub(crate) lines: Vec<Line>,
}
