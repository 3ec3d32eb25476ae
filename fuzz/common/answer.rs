//! A response that nobody sent, and the error that it becomes.

use std::cell::RefCell;

use stromboli::Error;
use tokio::runtime::{Builder, Runtime};

thread_local! {
    static RUNTIME: RefCell<Runtime> =
        RefCell::new(Builder::new_current_thread().enable_time().build().expect("a runtime without IO"));
}

/// The error of an operation that was answered with this.
pub fn error(operation: &'static str, response: http::Response<Vec<u8>>) -> Error {
    let raw = stromboli_generated::Error::<()>::UnexpectedResponse(response.into());
    RUNTIME.with_borrow(|runtime| runtime.block_on(Error::from_raw(operation, raw)))
}
