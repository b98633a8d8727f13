//! Redis servers that speak TLS, with certificates made for the test.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use spin_emulator::RedisServer;

/// A new certificate authority for each call.
pub(crate) fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut about = CertificateParams::default();
    about.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(about, KeyPair::generate().unwrap()).unwrap()
}

/// A server whose certificate was issued by this authority to this host.
pub(crate) async fn server_for(host: &str, authority: &CertifiedIssuer<'_, KeyPair>) -> RedisServer {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new([host.to_owned()]).unwrap().signed_by(&key, authority).unwrap();
    RedisServer::start_with_tls(&certificate.pem(), &key.serialize_pem()).await.unwrap()
}
