//! Redis's users. Their passwords are generated for each start, and files in the stack's folder have them for the services and
//! for the operator.

use std::fs::{self, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::error::Error;
use process::program;

/// The rights of each user, with placeholders for the passwords; the same for containers and Kubernetes.
const RIGHTS: &str = "deploy/redis/users.acl";

/// The passwords of Redis's users, in the order of [`USERS`].
#[derive(Clone)]
pub struct Passwords {
    dir: PathBuf,
    passwords: [String; 3],
}

impl std::fmt::Debug for Passwords {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Passwords").field("dir", &self.dir).finish_non_exhaustive()
    }
}

/// The placeholders in the file of rights.
const USERS: [&str; 3] = ["ADMIN_PASSWORD", "GATEWAY_PASSWORD", "EXPORTER_PASSWORD"];

impl Passwords {
    /// Generates passwords for a stack in `dir`.
    ///
    /// # Errors
    /// When the system has no random numbers.
    pub fn generate(dir: &Path) -> Result<Self, Error> {
        let mut bytes = [0; 72];
        fs::File::open("/dev/urandom")
            .and_then(|mut file| file.read_exact(&mut bytes))
            .map_err(Error::io("generating passwords".to_owned()))?;
        let password = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let passwords = [password(&bytes[..24]), password(&bytes[24..48]), password(&bytes[48..])];
        Ok(Self { dir: dir.to_owned(), passwords })
    }

    /// The operator's password, which `redis-cli` reads from `REDISCLI_AUTH`.
    #[must_use]
    pub fn admin(&self) -> &str {
        &self.passwords[0]
    }

    /// The URL for the gateway of the Redis on this port.
    #[must_use]
    pub fn gateway_url(&self, port: u16) -> String {
        format!("redis://gateway:{}@127.0.0.1:{port}", self.passwords[1])
    }

    /// Arguments of the server.
    #[must_use]
    pub fn server_args(&self) -> [String; 2] {
        ["--aclfile".to_owned(), self.file("users.acl")]
    }

    /// Arguments of the exporter.
    #[must_use]
    pub fn exporter_args(&self) -> [String; 2] {
        ["--redis.user=exporter".to_owned(), format!("--redis.password-file={}", self.file("exporter.json"))]
    }

    /// Writes the files: the server's users, the exporter's password for the Redis on this port, the operator's password.
    ///
    /// # Errors
    /// When a file cannot be read or written.
    pub fn write(&self, port: u16) -> Result<(), Error> {
        let path = program::repository().join(RIGHTS);
        let rights = fs::read_to_string(&path).map_err(Error::io(format!("reading {}", path.display())))?;
        let lines = rights.lines().filter(|line| !line.starts_with('#'));
        let mut users: String = lines.flat_map(|line| [line, "\n"]).collect();
        for (name, password) in USERS.iter().zip(&self.passwords) {
            users = users.replace(name, password);
        }
        let [host, named] = ["", "exporter@"].map(|user| format!("redis://{user}127.0.0.1:{port}"));
        // Versions differ in whether the user is part of the key.
        let exporter = json!({host: self.passwords[2], named: self.passwords[2]}).to_string();
        for (name, text) in
            [("users.acl", &users), ("exporter.json", &exporter), ("password", &self.passwords[0])]
        {
            let path = self.file(name);
            private(Path::new(&path), text).map_err(Error::io(format!("writing {path}")))?;
        }
        Ok(())
    }

    fn file(&self, name: &str) -> String {
        self.dir.join("redis").join(name).display().to_string()
    }
}

/// Writes a file that only its owner can read.
fn private(path: &Path, text: &str) -> std::io::Result<()> {
    fs::create_dir_all(path.parent().unwrap_or(Path::new(".")))?;
    let _ = fs::remove_file(path); // an earlier one may have another mode
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?.write_all(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn writes_every_password_into_private_files() {
        let dir = tempfile::tempdir().unwrap();
        let passwords = Passwords::generate(dir.path()).unwrap();
        assert_ne!(passwords.admin(), Passwords::generate(dir.path()).unwrap().admin());
        assert!(passwords.passwords.iter().all(|password| password.len() == 48));
        passwords.write(6379).unwrap();
        passwords.write(6379).unwrap();
        let users = fs::read_to_string(passwords.file("users.acl")).unwrap();
        assert!(
            !users.contains("PASSWORD") && users.lines().all(|line| line.starts_with("user ")),
            "{users}"
        );
        assert!(passwords.passwords.iter().all(|password| users.contains(password)));
        for file in fs::read_dir(dir.path().join("redis")).unwrap() {
            let mode = file.unwrap().metadata().unwrap().permissions().mode() & 0o777;
            assert_eq!(mode, 0o600);
        }
    }
}
