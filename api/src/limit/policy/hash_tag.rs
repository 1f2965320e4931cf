//! The hash tag of Redis keys: the part in braces. All keys of one request must be in one cluster slot, so policies
//! that can apply to the same request hash by the key parts that all of them have.

use super::{
    definition::Policy,
    key::{Key, KeyPart},
};
use crate::routes;
use std::fmt::Write;

/// The hash tag of policies that meet but have no part in common: they all share one slot.
const COMMON: &str = "limits";

/// For each policy, the parts of its keys in the hash tag.
pub(in crate::limit) fn of(policies: &[Policy]) -> Vec<Vec<KeyPart>> {
    // Each policy's group is the lowest policy that it meets, directly or through others.
    let mut group: Vec<usize> = (0..policies.len()).collect();
    let limited = routes::ALL.iter().filter(|endpoint| endpoint.limited).map(|endpoint| endpoint.path);
    for route in limited.chain([routes::UNMATCHED]) {
        for method in routes::KNOWN_METHODS.iter().chain([&routes::OTHER_METHOD]) {
            let mut meeting = (0..policies.len()).filter(|&index| policies[index].covers(route, method));
            let Some(first) = meeting.next() else { continue };
            for other in meeting {
                let (a, b) = (group[first], group[other]);
                let (low, high) = (a.min(b), a.max(b));
                group.iter_mut().filter(|member| **member == high).for_each(|member| *member = low);
            }
        }
    }
    let in_common = |index: usize| {
        let members = || (0..policies.len()).filter(|&other| group[other] == group[index]);
        let shared = |part: &KeyPart| members().all(|member| policies[member].key.parts().contains(part));
        policies[index].key.parts().iter().copied().filter(shared).collect()
    };
    (0..policies.len()).map(in_common).collect()
}

/// A key's name in Redis: the hash tag in braces, then the rest.
pub(in crate::limit) fn name(prefix: &str, policy: &Policy, hashed: &[KeyPart], key: &Key) -> String {
    let parts = match key {
        Key::Several(keys) => keys,
        only => std::slice::from_ref(only),
    };
    let named = || policy.key.parts().iter().zip(parts);
    let mut name = format!("{prefix}limit:{}:{{", policy.name);
    let start = name.len();
    // Writing to a String cannot fail.
    for (_, key) in named().filter(|(part, _)| hashed.contains(part)) {
        let _ = write!(name, "{}{key}", if name.len() == start { "" } else { "|" });
    }
    if name.len() == start {
        name.push_str(COMMON);
    }
    name.push('}');
    for (_, key) in named().filter(|(part, _)| !hashed.contains(part)) {
        let _ = write!(name, "|{key}");
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limit::{Caller, PolicySet};

    fn names(text: &str, route: &'static str) -> Vec<String> {
        let set = PolicySet::parse("x", text).unwrap();
        let tags = of(set.policies());
        let caller = Caller::by_address(Some("192.0.2.1".parse().unwrap()));
        let name = |(policy, hashed): (&Policy, &Vec<KeyPart>)| {
            name("f:", policy, hashed, &policy.key.of(route, &caller).unwrap())
        };
        set.policies().iter().zip(&tags).map(name).collect()
    }

    fn policy(name: &str, key: &str, routes: &str) -> String {
        format!("[[policy]]\nname='{name}'\nlimit='1/s'\nburst=1\nkey={key}\nroutes=[{routes}]\n")
    }

    #[test]
    fn policies_that_meet_hash_by_their_common_parts() {
        let [a, b] =
            &names(&(policy("a", "'client'", "") + &policy("b", "['client','route']", "")), "/cpu")[..]
        else {
            panic!("two")
        };
        assert_eq!((a.as_str(), b.as_str()), ("f:limit:a:{192.0.2.1}", "f:limit:b:{192.0.2.1}|route:/cpu"));
        // No common part: one slot for all.
        let both = policy("a", "'client'", "") + &policy("b", "'route'", "");
        assert_eq!(names(&both, "/cpu"), ["f:limit:a:{limits}|192.0.2.1", "f:limit:b:{limits}|route:/cpu"]);
        // They never meet, so each hashes by its own key.
        let apart = policy("a", "'client'", "'/slow'") + &policy("b", "'route'", "'/api/*'");
        assert_eq!(names(&apart, "/cpu"), ["f:limit:a:{192.0.2.1}", "f:limit:b:{route:/cpu}"]);
        // A meets B and B meets C: one group, although A and C never meet.
        let chain = policy("a", "['client','route']", "'/slow'")
            + &policy("b", "['client','plan']", "'/slow','/cpu'")
            + &policy("c", "'client'", "'/cpu'");
        for name in names(&chain, "/cpu") {
            assert!(name.contains("{192.0.2.1}"), "{name}");
        }
    }
}
