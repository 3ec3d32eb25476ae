//! The shared vectors, cut in every way that is cheap enough to try.

use std::time::Duration;

use stromboli::sse::Decoder;

use crate::oracle::{LineEnds, oracle};
use crate::{Decoded, chunked, decode};

struct Vector {
    name: String,
    input: Vec<u8>,
    events: Vec<Decoded>,
}

fn vectors() -> Vec<Vector> {
    let vectors: serde_json::Value = serde_json::from_str(include_str!("../vectors/sse.json")).unwrap();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let event = |event: &serde_json::Value| Decoded {
        event: text(&event["event"]),
        data: text(&event["data"]),
        id: text(&event["id"]),
        retry: event["retry"].as_u64().map(Duration::from_millis),
    };
    let vector = |vector: &serde_json::Value| Vector {
        name: text(&vector["name"]),
        input: base64(vector["input_base64"].as_str().unwrap()),
        events: vector["events"].as_array().unwrap().iter().map(event).collect(),
    };
    vectors.as_array().unwrap().iter().map(vector).collect()
}

fn base64(text: &str) -> Vec<u8> {
    const DIGITS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut bytes, mut bits, mut pending) = (Vec::new(), 0, 0_u32);
    for digit in text.trim_end_matches('=').chars() {
        pending = pending << 6 | DIGITS.find(digit).unwrap() as u32;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push((pending >> bits) as u8);
        }
    }
    bytes
}

#[test]
fn every_vector_decodes_whole() {
    let vectors = vectors();
    assert!(vectors.len() >= 50);
    for vector in vectors {
        assert_eq!(
            decode(Decoder::new(), [vector.input.as_slice()]).events,
            vector.events,
            "{}",
            vector.name
        );
        assert_eq!(
            oracle(&vector.input, LineEnds::Standard).events,
            vector.events,
            "the oracle on {}",
            vector.name
        );
    }
}

#[test]
fn every_vector_decodes_in_any_two_chunks_and_with_any_short_one_between() {
    for vector in vectors() {
        let whole = decode(Decoder::new(), [vector.input.as_slice()]);
        assert_eq!(whole.events, vector.events, "{}", vector.name);
        for first in 0..=vector.input.len() {
            let (head, rest) = vector.input.split_at(first);
            for second in 0..=rest.len().min(16) {
                let (middle, tail) = rest.split_at(second);
                let chunks = [head, middle, tail];
                assert_eq!(decode(Decoder::new(), chunks), whole, "{} as {chunks:?}", vector.name);
            }
        }
    }
}

#[test]
fn every_vector_decodes_in_chunks_of_any_one_size() {
    for vector in vectors() {
        for size in 1..=vector.input.len() {
            let chunks = chunked(&vector.input, &[size]);
            assert_eq!(
                decode(Decoder::new(), chunks).events,
                vector.events,
                "{} by {size}",
                vector.name
            );
        }
    }
}

#[test]
fn short_vectors_decode_in_every_possible_way_to_cut_them() {
    for vector in vectors()
        .into_iter()
        .filter(|vector| (1..=14).contains(&vector.input.len()))
    {
        for cuts in 0_u32..1 << (vector.input.len() - 1) {
            let mut sizes = vec![1];
            for position in 0..vector.input.len() - 1 {
                if cuts >> position & 1 == 1 {
                    sizes.push(1);
                } else {
                    *sizes.last_mut().unwrap() += 1;
                }
            }
            let chunks = chunked(&vector.input, &sizes);
            assert_eq!(
                decode(Decoder::new(), chunks).events,
                vector.events,
                "{} by {sizes:?}",
                vector.name
            );
        }
    }
}
