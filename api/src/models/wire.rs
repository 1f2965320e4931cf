//! Checks the structure of a file before the ONNX reader sees it.
//!
//! An ONNX file is a Protocol Buffers message: fields with a number, a type and a value, where a length precedes text,
//! bytes and nested messages (<https://protobuf.dev/programming-guides/encoding/>). The reader trusts those lengths:
//! one above 2^63 makes it seek backwards forever, one of many gigabytes makes it allocate that much memory, which
//! ends the process. So every length must fit into the enclosing message, down to the last one, and the depth of
//! nesting is limited.

/// Deepest nesting: a graph within an attribute of a node of a graph adds three.
const DEEPEST: usize = 64;

/// The field of a node that names its operator. `Loop` is the only operator whose run time depends on its input values;
/// all others end with their data. A thread that runs it cannot be stopped.
const OPERATOR: u64 = 4;

/// The messages that contain messages, and the fields that do (onnx/onnx.proto3 of the ONNX project).
#[derive(Debug, Clone, Copy)]
enum Message {
    Model,
    Graph,
    Node,
    Attribute,
    Tensor,
    ValueInfo,
    Type,
    TensorType,
    WrappedType,
    Shape,
    /// Contains no message that is read.
    Flat,
}

impl Message {
    /// The content of the field with this number; `None` for numbers, text and bytes.
    fn nested(self, field: u64) -> Option<Self> {
        Some(match (self, field) {
            (Self::Model, 7) => Self::Graph,
            (Self::Model, 8 | 14) => Self::Flat,
            (Self::Graph, 1) => Self::Node,
            (Self::Graph, 5) => Self::Tensor,
            (Self::Graph, 11..=13) => Self::ValueInfo,
            (Self::Node, 5) => Self::Attribute,
            (Self::Attribute, 5 | 10) => Self::Tensor,
            (Self::Attribute, 6 | 11) => Self::Graph,
            (Self::Attribute, 14 | 15) => Self::Type,
            (Self::Tensor, 13) => Self::Flat,
            (Self::ValueInfo, 2) => Self::Type,
            (Self::Type, 1) => Self::TensorType,
            (Self::Type, 4 | 9) => Self::WrappedType,
            (Self::WrappedType, 1) => Self::Type,
            (Self::TensorType, 2) => Self::Shape,
            (Self::Shape, 1) => Self::Flat,
            _ => return None,
        })
    }
}

/// Checks the structure of an ONNX file.
///
/// # Errors
/// What is wrong with it.
pub(super) fn check(bytes: &[u8]) -> Result<(), &'static str> {
    if bytes.is_empty() {
        return Err("the file is empty");
    }
    walk(bytes, Message::Model, DEEPEST)
}

fn walk(mut rest: &[u8], message: Message, depth: usize) -> Result<(), &'static str> {
    let depth = depth.checked_sub(1).ok_or("the file is nested too deeply")?;
    while !rest.is_empty() {
        let tag = varint(&mut rest)?;
        match tag & 7 {
            0 => drop(varint(&mut rest)?),
            1 => drop(take(&mut rest, 8)?),
            2 => {
                let length = varint(&mut rest)?;
                let value = take(&mut rest, length)?;
                if matches!(message, Message::Node) && tag >> 3 == OPERATOR && value == b"Loop" {
                    return Err("the operator Loop is not supported, because it may never end");
                }
                if let Some(nested) = message.nested(tag >> 3) {
                    walk(value, nested, depth)?;
                }
            }
            5 => drop(take(&mut rest, 4)?),
            _ => return Err("a field has an invalid type"),
        }
    }
    Ok(())
}

fn take<'a>(rest: &mut &'a [u8], length: u64) -> Result<&'a [u8], &'static str> {
    let length = usize::try_from(length).ok().filter(|length| *length <= rest.len());
    let (value, after) = rest.split_at(length.ok_or("a field is truncated or has an invalid length")?);
    *rest = after;
    Ok(value)
}

/// Seven bits per byte, the lowest first; a set high bit means that more follow. At most 64 bits.
fn varint(rest: &mut &[u8]) -> Result<u64, &'static str> {
    let mut value = 0;
    for (at, byte) in rest.iter().take(10).enumerate() {
        let bits = u64::from(byte & 0x7f);
        if at == 9 && bits > 1 {
            break;
        }
        value |= bits << (7 * at);
        if byte & 0x80 == 0 {
            *rest = &rest[at + 1..];
            return Ok(value);
        }
    }
    Err("a number is truncated or has more than 64 bits")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_numbers_of_up_to_64_bits() {
        for (bytes, expected) in [
            (&[0x00][..], Some(0)),
            (&[0x96, 0x01], Some(150)),
            (&[0xff; 9], None),
            (&[0x80], None),
            (&[], None),
            (&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01], Some(u64::MAX)),
            (&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02], None),
            (&[0xff; 11], None),
        ] {
            let mut rest = bytes;
            assert_eq!(varint(&mut rest).ok(), expected, "{bytes:?}");
        }
    }

    /// A field of text, bytes or a message.
    fn field(number: u8, value: &[u8]) -> Vec<u8> {
        let mut bytes = vec![number << 3 | 2];
        let mut length = value.len();
        while length > 0x7f {
            bytes.push(length as u8 | 0x80);
            length >>= 7;
        }
        bytes.push(length as u8);
        [bytes, value.to_vec()].concat()
    }

    #[test]
    fn checks_lengths_at_every_level() {
        let node = field(4, b"Relu");
        let sound = field(7, &field(1, &node));
        check(&sound).unwrap();
        let mut node = node;
        // One byte longer than the enclosing node, but not than the file.
        node[1] += 1;
        let file = [field(7, &field(1, &node)), vec![0x08, 0x07]].concat();
        assert!(check(&file).unwrap_err().contains("invalid length"));
        // The same bytes are fine where text is expected.
        check(&field(2, &node)).unwrap();
        for cut in 1..sound.len() {
            assert!(check(&sound[..cut]).is_err(), "{cut}");
        }
        let backwards = [&[7 << 3 | 2][..], &[0xff; 9], &[0x01]].concat();
        assert!(check(&backwards).unwrap_err().contains("invalid length"));
        assert!(check(&[0x0b]).unwrap_err().contains("invalid type"), "groups are obsolete");
        assert!(check(b"").is_err());
    }

    #[test]
    fn finds_a_loop_anywhere() {
        let graph = |operator: &[u8]| field(1, &field(4, operator));
        check(&field(7, &graph(b"Relu"))).unwrap();
        check(&field(7, &field(2, b"Loop"))).unwrap();
        // In a branch of an If: a graph within an attribute.
        let nested = field(1, &[field(4, b"If"), field(5, &field(6, &graph(b"Loop")))].concat());
        for bytes in [graph(b"Loop"), nested] {
            assert!(check(&field(7, &bytes)).unwrap_err().contains("Loop"));
        }
    }

    #[test]
    fn limits_nesting() {
        // From the inside: a graph in an attribute, in a node, in a graph.
        let inner =
            |levels: usize| (0..levels).fold(vec![], |inner, level| field([6, 5, 1][level % 3], &inner));
        let file = |levels: usize| field(7, &inner(levels));
        check(&file(30)).unwrap();
        assert!(check(&file(3000)).unwrap_err().contains("the file is nested too deeply"));
    }
}
