//! What owns values of any type, or makes trait objects of them.
//!
//! Rustc compiles a module with the code that drops whatever its functions own, and whatever they make trait objects of;
//! for a message that is a twentieth of this crate. But functions of `Option` are in one unit of compilation, whatever it
//! holds. So all of this is there and not inlined, and everybody else hands values on.

use super::{Choice, Fields, List, Record, Slot, Tagged, Variants, Wire, place::Begin};

/// Implemented for `Option<T>` alone.
pub(crate) trait Owner<T> {
    /// Reads a value to a slot and gives it, after `then` if it is there.
    fn filled(read: &mut dyn FnMut(&mut dyn Slot) -> bool, then: &mut dyn FnMut(&mut T)) -> Option<T>
    where
        T: Wire;
    /// Lends a value, and drops it.
    fn lend<R>(value: T, to: &mut dyn FnMut(&mut T) -> R) -> R;
    /// Puts a value in the place of another.
    fn put(place: &mut T, value: T);
    fn slot(&self) -> &dyn Slot
    where
        T: Wire;
    fn begin_slot(&mut self) -> &mut dyn Begin
    where
        T: Fields;
    fn list_slot(slot: &mut Option<Vec<T>>) -> &mut dyn List
    where
        T: Wire;
    fn tagged_slot(&mut self) -> &mut dyn Tagged
    where
        T: Variants;
    fn tagged(value: &mut T) -> &mut dyn Tagged
    where
        T: Variants;
    fn choice(value: &T) -> &dyn Choice
    where
        T: Choice;
    fn record(value: &T) -> &dyn Record
    where
        T: Record;
    fn record_mut(value: &mut T) -> &mut dyn Record
    where
        T: Record;
}

impl<T> Owner<T> for Option<T> {
    #[inline(never)]
    fn filled(read: &mut dyn FnMut(&mut dyn Slot) -> bool, then: &mut dyn FnMut(&mut T)) -> Option<T>
    where
        T: Wire,
    {
        let mut slot: Option<T> = None;
        if !read(&mut slot) {
            return None;
        }
        slot.as_mut().map(then);
        slot
    }

    #[inline(never)]
    fn lend<R>(mut value: T, to: &mut dyn FnMut(&mut T) -> R) -> R {
        to(&mut value)
    }

    #[inline(never)]
    fn put(place: &mut T, value: T) {
        *place = value;
    }

    #[inline(never)]
    fn slot(&self) -> &dyn Slot
    where
        T: Wire,
    {
        self
    }

    #[inline(never)]
    fn begin_slot(&mut self) -> &mut dyn Begin
    where
        T: Fields,
    {
        self
    }

    #[inline(never)]
    fn list_slot(slot: &mut Option<Vec<T>>) -> &mut dyn List
    where
        T: Wire,
    {
        slot
    }

    #[inline(never)]
    fn tagged_slot(&mut self) -> &mut dyn Tagged
    where
        T: Variants,
    {
        self
    }

    #[inline(never)]
    fn tagged(value: &mut T) -> &mut dyn Tagged
    where
        T: Variants,
    {
        value
    }

    #[inline(never)]
    fn choice(value: &T) -> &dyn Choice
    where
        T: Choice,
    {
        value
    }

    #[inline(never)]
    fn record(value: &T) -> &dyn Record
    where
        T: Record,
    {
        value
    }

    #[inline(never)]
    fn record_mut(value: &mut T) -> &mut dyn Record
    where
        T: Record,
    {
        value
    }
}
