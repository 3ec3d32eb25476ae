//! The renewal of the token: one at a time, for all who ask, with no call left waiting and no refused token given out.

mod world;

use loom::thread;
use world::{Failure, Life, World, block_on, explore};

/// A call in a thread of its own.
fn spawn<T: 'static>(world: &World, call: impl FnOnce(World) -> T + 'static) -> thread::JoinHandle<T> {
    let world = world.clone();
    thread::spawn(move || call(world))
}

fn join<T>(calls: Vec<thread::JoinHandle<T>>) -> Vec<T> {
    calls.into_iter().map(|call| call.join().unwrap()).collect()
}

#[test]
fn calls_without_a_token_obtain_one_together() {
    explore(|| {
        let world = World::that_gives(Life::Long);
        let calls = (0..3).map(|_| spawn(&world, |world| block_on(world.get(None))));
        assert_eq!(join(calls.collect()), [Ok(Some(1)); 3]);
        assert_eq!(world.begun(), 1);
    });
}

#[test]
fn calls_with_a_refused_token_renew_it_once() {
    explore(|| {
        let world = World::with_token(Life::Long);
        let refused = (0..2).map(|_| spawn(&world, |world| block_on(world.get(Some(1)))));
        let refused = refused.collect();
        // Whoever has not heard of the refusal may still get the old one.
        let heard = world.is_known();
        let token = block_on(world.get(None));
        assert!(token == Ok(Some(2)) || (token == Ok(Some(1)) && !heard), "{token:?}");
        assert_eq!(join(refused), [Ok(Some(2)); 2]);
        assert_eq!(world.begun(), 2);
    });
}

#[test]
fn an_old_token_is_renewed_once_and_nobody_waits_for_that() {
    explore(|| {
        let world = World::with_token(Life::Old);
        world.give(Life::Long);
        let calls = (0..3).map(|_| spawn(&world, |world| block_on(world.get(None))));
        for token in join(calls.collect()) {
            assert!(matches!(token, Ok(Some(1 | 2))), "{token:?}");
        }
        assert_eq!(world.begun(), 2);
        assert_eq!(block_on(world.get(None)), Ok(Some(2)));
    });
}

#[test]
fn an_old_token_serves_when_its_renewal_fails_and_is_not_renewed_again_at_once() {
    explore(|| {
        let world = World::with_token(Life::Old);
        world.give(Life::None);
        let calls = (0..2).map(|_| spawn(&world, |world| block_on(world.get(None))));
        assert_eq!(join(calls.collect()), [Ok(Some(1)); 2]);
        assert_eq!(block_on(world.get(None)), Ok(Some(1)));
        assert_eq!(world.begun(), 2);
    });
}

#[test]
fn a_failure_is_told_to_those_who_waited_for_it_and_to_no_others() {
    explore(|| {
        let world = World::that_gives(Life::None);
        let calls = (0..2).map(|_| {
            spawn(&world, |world| {
                let told = world.told();
                let failed = block_on(world.get(None));
                (told, failed, world.begun_at_wait())
            })
        });
        for (told, failed, begun) in join(calls.collect()) {
            let Err(Failure(number)) = failed else {
                panic!("{failed:?}")
            };
            assert!(number > told, "a failure of long ago");
            // Whoever waited for a renewal begins none.
            assert!(begun.is_none_or(|begun| number <= begun), "another renewal");
        }
        world.give(Life::Long);
        assert!(matches!(block_on(world.get(None)), Ok(Some(_))));
    });
}

#[test]
fn a_token_that_is_refused_while_its_renewal_fails_is_given_to_nobody_who_could_know() {
    explore(|| {
        let world = World::with_token(Life::Old);
        world.give(Life::None);
        let renewing = spawn(&world, |world| {
            let heard = world.is_known();
            (heard, block_on(world.get(None)), world.heard_at_end())
        });
        let refused = spawn(&world, |world| block_on(world.get(Some(1))));
        let heard = world.is_known();
        let token = block_on(world.get(None));
        assert!(!(heard && token == Ok(Some(1))), "a refused token, again");
        let (heard, token, heard_at_end) = renewing.join().unwrap();
        assert!(!((heard || heard_at_end) && token == Ok(Some(1))), "a refused token");
        assert!(matches!(refused.join().unwrap(), Err(Failure(_))));
    });
}

#[test]
fn whoever_gives_up_while_it_renews_or_waits_hands_over() {
    explore(|| {
        let world = World::that_gives(Life::Long);
        let given_up = spawn(&world, |world| world.give_up_after(1));
        let calls = (0..2).map(|_| spawn(&world, |world| block_on(world.get(None))));
        for token in join(calls.collect()) {
            assert!(matches!(token, Ok(Some(1 | 2))), "{token:?}");
        }
        given_up.join().unwrap();
        assert!(world.begun() <= 2, "{}", world.begun());
        assert!(world.is_idle());
    });
}

#[test]
fn whoever_gives_up_the_renewal_of_an_old_token_leaves_it_as_it_was() {
    explore(|| {
        let world = World::with_token(Life::Old);
        world.give(Life::Long);
        let given_up = spawn(&world, |world| world.give_up_after(1));
        let refused = spawn(&world, |world| block_on(world.get(Some(1))));
        let token = block_on(world.get(None));
        assert!(matches!(token, Ok(Some(1..=3))), "{token:?}");
        assert!(matches!(refused.join().unwrap(), Ok(Some(2 | 3))));
        given_up.join().unwrap();
        assert!(world.is_idle());
        assert!(matches!(block_on(world.get(Some(1))), Ok(Some(2 | 3))));
    });
}
