//! Every class of operations against every fault: the documented kind of error, in time, in bounded memory, without a panic,
//! a socket left behind or a secret shown. `matrix/rule.rs` says what has to come of each.

mod cell;
mod class;
mod emulated;
mod fault;
mod good;
mod lane;
mod peer;
mod played;
mod rule;
mod secrets;
mod table;

use std::sync::Arc;

use futures_util::future::join_all;
use tokio::sync::Mutex;

use self::class::Class;
use self::fault::Fault;
use self::lane::Lane;
use crate::{HEAP, alone, measure};

/// The most that a call of each class, all at once, may allocate when their answers are endless, in bytes. Of a response
/// each client takes 256 KiB, and what its sockets hold.
const MEMORY: usize = 32 * 1024 * 1024;

fn faults() -> Vec<Fault> {
    emulated::faults().into_iter().chain(played::faults()).collect()
}

#[test]
fn every_fault_is_the_documented_error_of_every_operation() {
    alone(every_fault());
}

async fn every_fault() {
    secrets::watch();
    let faults: Arc<[Fault]> = faults().into();
    let before = measure::descriptors();
    let (huge, other): (Vec<usize>, Vec<usize>) = (0..faults.len()).partition(|number| faults[*number].is_huge);

    let mut lanes = Vec::new();
    for class in Class::ALL {
        lanes.push(Arc::new(Mutex::new(Lane::start(class).await)));
    }
    let mut broken = meet(&lanes, &faults, &other).await;
    let mut most = 0;
    for number in huge {
        HEAP.reset_peak_usage();
        let before = HEAP.current_usage();
        broken.extend(meet(&lanes, &faults, &[number]).await);
        let grown = HEAP.peak_usage().saturating_sub(before);
        most = most.max(grown);
        if grown > MEMORY {
            broken.push(format!("{}: takes {grown} bytes", faults[number].name));
        }
    }
    drop(lanes);
    let left = measure::settles(measure::descriptors, before).await;

    let logged = secrets::shown().into_iter();
    broken.extend(logged.map(|text| format!("a log shows a secret: {text}")));
    assert!(broken.is_empty(), "{} are wrong:\n{}", broken.len(), broken.join("\n"));
    assert_eq!(left, before, "files and sockets are left");
    measure::tell("matrix", &table::figures(&faults, most));
}

/// Lets calls of all classes meet these faults, one after the other in each class, and gives what is wrong.
async fn meet(lanes: &[Arc<Mutex<Lane>>], faults: &Arc<[Fault]>, numbers: &[usize]) -> Vec<String> {
    let meeting = lanes.iter().map(|lane| {
        let (lane, faults, numbers) = (Arc::clone(lane), Arc::clone(faults), numbers.to_vec());
        // A panic is the end of a task, and fails the test.
        tokio::spawn(async move {
            let mut lane = lane.lock().await;
            let mut broken = Vec::new();
            for fault in numbers.iter().map(|number| &faults[*number]) {
                let came = lane.meet(fault).await;
                let wrong = came.differences(lane.class(), fault).into_iter();
                let place = format!("{} / {}", fault.name, lane.class().name());
                broken.extend(wrong.map(|wrong| format!("{place}: {wrong}")));
            }
            broken
        })
    });
    let met = join_all(meeting).await.into_iter();
    met.flat_map(|wrong| wrong.expect("a call panicked")).collect()
}
