//! Which statuses are as they should be.

/// The statuses that count as expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expect {
    /// Inclusive ranges, in the order given.
    ranges: Vec<(u16, u16)>,
}

impl Default for Expect {
    /// 200 to 399.
    fn default() -> Self {
        Self { ranges: vec![(200, 399)] }
    }
}

impl Expect {
    /// Exactly these statuses.
    #[must_use]
    pub fn statuses(codes: &[u16]) -> Self {
        Self { ranges: codes.iter().map(|&code| (code, code)).collect() }
    }

    /// Whether `status` is one of them.
    #[must_use]
    pub fn matches(&self, status: u16) -> bool {
        self.ranges.iter().any(|&(from, to)| (from..=to).contains(&status))
    }
}

impl std::fmt::Display for Expect {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (index, &(from, to)) in self.ranges.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            match (from, to) {
                _ if from == to => write!(f, "{comma}{from}")?,
                _ if from % 100 == 0 && to == from + 99 => write!(f, "{comma}{}xx", from / 100)?,
                _ => write!(f, "{comma}{from}-{to}")?,
            }
        }
        Ok(())
    }
}

impl std::str::FromStr for Expect {
    type Err = String;

    /// Reads `200,429` and classes such as `2xx`.
    fn from_str(text: &str) -> Result<Self, String> {
        let range = |part: &str| {
            if let Some(class) = part.strip_suffix("xx") {
                let class: u16 = class.parse().ok().filter(|class| (1..=5).contains(class))?;
                return Some((class * 100, class * 100 + 99));
            }
            let code: u16 = part.parse().ok().filter(|code| (100..=599).contains(code))?;
            Some((code, code))
        };
        let ranges: Option<Vec<_>> = text.split(',').map(|part| range(part.trim())).collect();
        ranges.map(|ranges| Self { ranges }).ok_or_else(|| {
            format!(
                "`{text}` is not a list of statuses: expected 100 to 599 or a class, such as 200,429 or 2xx"
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expectations_read_and_match() {
        for (text, yes, no) in
            [("200", 200, 201), ("200,429", 429, 500), ("2xx", 204, 300), ("5xx, 404", 404, 403)]
        {
            let expect: Expect = text.parse().unwrap();
            assert!(expect.matches(yes) && !expect.matches(no), "{text}");
        }
        for text in ["", "99", "600", "6xx", "ok", "200;300"] {
            assert!(text.parse::<Expect>().unwrap_err().contains(&format!("`{text}`")), "{text}");
        }
        assert_eq!(Expect::default().to_string(), "200-399");
        assert_eq!("200,5xx".parse::<Expect>().unwrap().to_string(), "200,5xx");
    }
}
