//! A server behind TLS that speaks HTTP/2, as behind a proxy. On Linux, where a variable says whom a program trusts.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use h2::Reason;
use http::Response;
use insta::assert_snapshot;
use rcgen::CertifiedKey;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use crate::support::{Done, World};

const HEALTH: &str = r#"{"status":"ok","name":"stromboli","version":"v0.5.7-alpha","components":[]}"#;

/// What it answers to every request.
#[derive(Clone, Copy)]
enum Answer {
    Health,
    /// A stream that is refused, of which HTTP/2 says that it may be sent again.
    Refusal,
}

struct Proxy {
    url: String,
    certificate: PathBuf,
    /// The methods and paths of the requests that came.
    requests: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    async fn start(world: &World, answer: Answer) -> Self {
        let CertifiedKey { cert, signing_key } =
            rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let certificate = world.file("certificate.pem", &cert.pem());
        let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
        let mut config = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![cert.der().clone()], key)
            .unwrap();
        config.alpn_protocols = vec![b"h2".to_vec()];
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://localhost:{}", listener.local_addr().unwrap().port());
        let requests = Arc::default();
        let seen = Arc::clone(&requests);
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                // A client that does not trust it goes away.
                tokio::spawn(serve(socket, acceptor.clone(), answer, Arc::clone(&seen)));
            }
        });
        Self {
            url,
            certificate,
            requests,
        }
    }

    /// Runs the program to its end, which trusts the proxy.
    async fn trusted(&self, world: &World, arguments: &[&str]) -> Done {
        let certificate = self.certificate.to_str().unwrap();
        let variables = [("STROMBOLI_URL", &*self.url), ("SSL_CERT_FILE", certificate)];
        world.run_with(&variables, arguments).await
    }

    fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

async fn serve(
    socket: TcpStream,
    acceptor: TlsAcceptor,
    answer: Answer,
    requests: Arc<Mutex<Vec<String>>>,
) -> Option<()> {
    let connection = acceptor.accept(socket).await.ok()?;
    let mut connection = h2::server::handshake(connection).await.ok()?;
    while let Some(Ok((request, mut respond))) = connection.accept().await {
        let line = format!("{} {}", request.method(), request.uri().path());
        requests.lock().unwrap().push(line);
        match answer {
            Answer::Health => {
                let head = Response::builder().header("content-type", "application/json");
                let mut body = respond.send_response(head.body(()).unwrap(), false).ok()?;
                body.send_data(Bytes::from_static(HEALTH.as_bytes()), true).ok()?;
            }
            Answer::Refusal => respond.send_reset(Reason::REFUSED_STREAM),
        }
    }
    Some(())
}

#[tokio::test]
async fn a_server_behind_tls_is_reached_over_http2() {
    let world = World::without_server();
    let proxy = Proxy::start(&world, Answer::Health).await;
    let done = proxy.trusted(&world, &["health", "-o", "json"]).await;
    assert_eq!(done.code, 0, "{}", done.stderr);
    assert_eq!(done.json()["version"], "v0.5.7-alpha");
    assert_eq!(proxy.requests(), ["GET /health"]);
}

#[tokio::test]
async fn a_run_that_http2_refuses_is_not_sent_again() {
    let world = World::without_server();
    let proxy = Proxy::start(&world, Answer::Refusal).await;
    let done = proxy.trusted(&world, &["run", "ping"]).await;
    assert_eq!(done.code, 5, "{}", done.stderr);
    assert_eq!(proxy.requests(), ["POST /run"]);
}

#[tokio::test]
async fn a_certificate_that_nobody_trusts_is_5_and_nothing_is_sent() {
    let world = World::without_server();
    let proxy = Proxy::start(&world, Answer::Health).await;
    let done = world.run_with(&[("STROMBOLI_URL", &proxy.url)], &["health"]).await;
    assert_snapshot!(done.stderr.replace(&proxy.url, "[server]"), @r"
    error: TLS with [server] could not be set up
      hint: check the address: https needs a certificate that this machine trusts
    ");
    assert_eq!(done.code, 5);
    assert_eq!(proxy.requests(), [""; 0]);
}
