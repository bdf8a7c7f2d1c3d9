//! Credentials under construction, signed by the texts of RFC 7616 §3.4.

use crate::simulation::gate::parameter;
use liaison_tests::message::body;
use md5::Md5;
use sha2::{Digest, Sha256, Sha512_256};

/// What a request was challenged with.
pub struct Asked {
    challenges: Vec<String>,
    pub method: String,
    pub uri: String,
    pub body: String,
}

impl Asked {
    /// By these challenges of that request.
    pub fn new(challenges: Vec<String>, request: &str) -> Self {
        let mut line = request.split(' ');
        let (method, uri) = (line.next().unwrap().to_owned(), line.next().unwrap().to_owned());
        Self { challenges, method, uri, body: body(request).to_owned() }
    }

    /// The same challenges, for another request.
    pub fn for_request(&self, request: &str) -> Self {
        Self::new(self.challenges.clone(), request)
    }

    /// Bob's answer to the challenge of that algorithm, unsigned.
    pub fn draft(&self, algorithm: &str) -> Draft {
        let offered = |one: &&String| parameter(one, "algorithm").as_deref() == Some(algorithm);
        // The nonce is the same whatever the algorithm.
        let challenge = self.challenges.iter().find(offered).unwrap_or(&self.challenges[0]);
        let nonce = parameter(challenge, "nonce").unwrap();
        let params = [
            ("username", "\"bob\"".to_owned()),
            ("realm", "\"sbc\"".to_owned()),
            ("nonce", format!("\"{nonce}\"")),
            ("uri", format!("\"{}\"", self.uri)),
            ("response", String::new()),
            ("algorithm", algorithm.to_owned()),
            ("qop", "auth".to_owned()),
            ("cnonce", "\"c1\"".to_owned()),
            ("nc", "00000001".to_owned()),
        ];
        Draft {
            scheme: "Digest".into(),
            params: params.map(|(name, value)| (name.to_owned(), value)).into(),
            method: self.method.clone(),
            body: self.body.clone(),
            user: "bob".into(),
            password: "wonderland".into(),
        }
    }

    /// Bob's right answer.
    pub fn right(&self) -> String {
        self.draft("SHA-256").signed()
    }
}

/// Credentials whose response is made last.
pub struct Draft {
    scheme: String,
    /// Names and values as they are written.
    params: Vec<(String, String)>,
    pub method: String,
    pub body: String,
    /// What goes into A1, whatever `username` says.
    pub user: String,
    pub password: String,
}

impl Draft {
    fn get(&self, name: &str) -> String {
        let found = self.params.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.trim_matches('"').to_owned()).unwrap_or_default()
    }

    /// The parameter as it is written, in its place or at the end.
    pub fn set(mut self, name: &str, value: &str) -> Self {
        match self.params.iter_mut().find(|(known, _)| known == name) {
            Some((_, old)) => *old = value.to_owned(),
            None => self.params.push((name.to_owned(), value.to_owned())),
        }
        self
    }

    /// Another name for a parameter.
    pub fn rename(mut self, name: &str, to: &str) -> Self {
        for (known, _) in &mut self.params {
            if known == name {
                *known = to.to_owned();
            }
        }
        self
    }

    /// Takes a parameter out.
    pub fn without(mut self, name: &str) -> Self {
        self.params.retain(|(known, _)| known != name);
        self
    }

    /// Another spelling of the scheme.
    pub fn scheme(mut self, scheme: &str) -> Self {
        self.scheme = scheme.to_owned();
        self
    }

    /// Does that to the draft.
    pub fn but(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    /// H(text) under the algorithm that is named.
    pub fn hash(&self, text: &str) -> String {
        let hex = |bytes: &[u8]| bytes.iter().map(|b| format!("{b:02x}")).collect();
        match self.get("algorithm").to_uppercase().trim_end_matches("-SESS") {
            "SHA-256" => hex(&Sha256::digest(text)),
            "SHA-512-256" => hex(&Sha512_256::digest(text)),
            _ => hex(&Md5::digest(text)),
        }
    }

    /// The response that the rest makes.
    pub fn response(&self) -> String {
        let get = |name: &str| self.get(name);
        let mut ha1 = self.hash(&format!("{}:{}:{}", self.user, get("realm"), self.password));
        if get("algorithm").ends_with("-sess") {
            ha1 = self.hash(&format!("{ha1}:{}:{}", get("nonce"), get("cnonce")));
        }
        let a2 = match get("qop").to_lowercase().as_str() {
            "auth-int" => format!("{}:{}:{}", self.method, get("uri"), self.hash(&self.body)),
            _ => format!("{}:{}", self.method, get("uri")),
        };
        let ha2 = self.hash(&a2);
        match get("qop").to_lowercase().as_str() {
            "" => self.hash(&format!("{ha1}:{}:{ha2}", get("nonce"))),
            qop => self.hash(&format!("{ha1}:{}:{}:{}:{qop}:{ha2}", get("nonce"), get("nc"), get("cnonce"))),
        }
    }

    /// With the response that the rest makes.
    pub fn sign(self) -> Self {
        let response = format!("\"{}\"", self.response());
        self.set("response", &response)
    }

    /// As it is written.
    pub fn text(&self) -> String {
        let params: Vec<_> = self.params.iter().map(|(name, value)| format!("{name}={value}")).collect();
        format!("{} {}", self.scheme, params.join(", "))
    }

    /// Signed, as it is written.
    pub fn signed(self) -> String {
        self.sign().text()
    }
}
