use super::*;

/// The largest block, in bytes, that glibc's allocator keeps for the thread that gave it back.
const AT_HAND: usize = 1_032;

#[test]
fn the_future_of_a_call_is_a_block_that_allocators_have_at_hand() {
    let retry = RetryPolicy::default();
    let transport = HttpTransport {
        shared: Arc::new(Shared {
            http: reqwest::Client::new(),
            brought_http: false,
            auth: Auth::None,
            user_agent: HeaderValue::from_static("test"),
            timeouts: Timeouts::default(),
            budget: Budget::new(retry.budget),
            retry,
            hooks: Hooks::default(),
            max_response_bytes: MAX_BODY,
        }),
        options: RequestOptions::default(),
    };
    let url = "http://127.0.0.1:1/health".parse().unwrap();
    let request = Request::new(reqwest::Method::GET, url);
    let call = transport.call(request, find("health"), Span::none());
    let bytes = size_of_val(&call.instrument(Span::none()));
    assert!(bytes <= AT_HAND, "{bytes} bytes");
}
