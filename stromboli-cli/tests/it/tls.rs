//! A server behind TLS, as behind a proxy. On Linux, where a variable says whom a program trusts.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use insta::assert_snapshot;
use rcgen::CertifiedKey;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use crate::support::{Done, World};

const HEALTH: &str = r#"{"status":"ok","name":"stromboli","version":"v0.5.7-alpha","components":[]}"#;

struct Proxy {
    url: String,
    certificate: PathBuf,
    /// The protocol of each connection that trusts it, and the first line that came.
    requests: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    /// One that speaks HTTP/1.1, and HTTP/2 rather than that.
    async fn start(world: &World) -> Self {
        let CertifiedKey { cert, signing_key } =
            rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let certificate = world.file("certificate.pem", &cert.pem());
        let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
        let mut config = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![cert.der().clone()], key)
            .unwrap();
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://localhost:{}", listener.local_addr().unwrap().port());
        let requests = Arc::default();
        let seen = Arc::clone(&requests);
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                // A client that does not trust it goes away.
                tokio::spawn(serve(socket, acceptor.clone(), Arc::clone(&seen)));
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

/// Answers one request, as if it had asked for the server's health.
async fn serve(socket: TcpStream, acceptor: TlsAcceptor, requests: Arc<Mutex<Vec<String>>>) -> Option<()> {
    let mut connection = acceptor.accept(socket).await.ok()?;
    let protocol = connection.get_ref().1.alpn_protocol().unwrap_or_default();
    let protocol = String::from_utf8_lossy(protocol).into_owned();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(connection.read_u8().await.ok()?);
    }
    let head = String::from_utf8_lossy(&head);
    let line = head.lines().next().unwrap_or_default();
    requests.lock().unwrap().push(format!("{protocol}: {line}"));
    let length = HEALTH.len();
    let answer =
        format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{HEALTH}");
    connection.write_all(answer.as_bytes()).await.ok()?;
    connection.shutdown().await.ok()
}

/// Even with HTTP/2 compiled into the program, as it is into this one by what its tests need.
#[tokio::test]
async fn a_proxy_that_would_rather_speak_http2_is_spoken_to_in_http1() {
    let world = World::without_server();
    let proxy = Proxy::start(&world).await;
    let done = proxy.trusted(&world, &["health", "-o", "json"]).await;
    assert_eq!(done.code, 0, "{}", done.stderr);
    assert_eq!(done.json()["version"], "v0.5.7-alpha");
    assert_eq!(proxy.requests(), ["http/1.1: GET /health HTTP/1.1"]);
}

#[tokio::test]
async fn a_certificate_that_nobody_trusts_is_5_and_nothing_is_sent() {
    let world = World::without_server();
    let proxy = Proxy::start(&world).await;
    let done = world.run_with(&[("STROMBOLI_URL", &proxy.url)], &["health"]).await;
    assert_snapshot!(done.stderr.replace(&proxy.url, "[server]"), @r"
    error: TLS with [server] could not be set up
      hint: check the address: https needs a certificate that this machine trusts
    ");
    assert_eq!(done.code, 5);
    assert_eq!(proxy.requests(), [""; 0]);
}
