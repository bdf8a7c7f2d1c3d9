//! The algorithm set MILENAGE (3GPP TS 35.206): f1, f1*, f2, f3, f4, f5 and f5* over AES-128.

use aes::Aes128;
use aes::cipher::{BlockCipherEncrypt, KeyInit};
use zeroize::{Zeroize, ZeroizeOnDrop};

type Block = [u8; 16];

/// The kernel keyed with K, and OPc. Both are wiped when dropped.
pub(super) struct Milenage {
    kernel: Aes128,
    opc: Block,
}

/// What f2 to f5* make of one RAND. Wiped when dropped.
#[derive(Zeroize, ZeroizeOnDrop)]
pub(super) struct Vector {
    /// f2: what proves who we are.
    pub(super) res: [u8; 8],
    /// f3: the cipher key.
    pub(super) ck: Block,
    /// f4: the integrity key.
    pub(super) ik: Block,
    /// f5: hides the sequence number of a challenge.
    pub(super) ak: [u8; 6],
    /// f5*: hides ours in AUTS.
    pub(super) ak_resync: [u8; 6],
}

impl Milenage {
    /// With OPc as the operator gives it.
    pub(super) fn with_opc(k: &Block, opc: &Block) -> Self {
        Self { kernel: Aes128::new(&(*k).into()), opc: *opc }
    }

    /// With OP, from which OPc is E(OP) xor OP (§4.1).
    pub(super) fn with_op(k: &Block, op: &Block) -> Self {
        let mut made = Self::with_opc(k, op);
        made.opc = xor(&made.encrypt(op), op);
        made
    }

    pub(super) fn opc(&self) -> &Block {
        &self.opc
    }

    fn encrypt(&self, block: &Block) -> Block {
        let mut block = (*block).into();
        self.kernel.encrypt_block(&mut block);
        block.into()
    }

    /// f1 and f1*: MAC-A of a challenge and MAC-S of AUTS (§4.1, OUT1).
    pub(super) fn f1(&self, rand: &Block, sqn: &[u8; 6], amf: &[u8; 2]) -> ([u8; 8], [u8; 8]) {
        let [s0, s1, s2, s3, s4, s5] = *sqn;
        let [a0, a1] = *amf;
        let input = [s0, s1, s2, s3, s4, s5, a0, a1, s0, s1, s2, s3, s4, s5, a0, a1];
        let temp = self.encrypt(&xor(rand, &self.opc));
        let mut turned = xor(&input, &self.opc);
        turned.rotate_left(8);
        let out = xor(&self.encrypt(&xor(&temp, &turned)), &self.opc);
        (first(&out), last(&out))
    }

    /// f2, f3, f4, f5 and f5* (§4.1, OUT2 to OUT5).
    pub(super) fn vector(&self, rand: &Block) -> Vector {
        let temp = xor(&self.encrypt(&xor(rand, &self.opc)), &self.opc);
        // The rotations are r2 to r5 in bytes, the constants the last byte of c2 to c5.
        let out = |turn: usize, constant: u8| {
            let mut block = temp;
            block.rotate_left(turn);
            let [.., tail] = &mut block;
            *tail ^= constant;
            xor(&self.encrypt(&block), &self.opc)
        };
        let out2 = out(0, 1);
        Vector {
            res: last(&out2),
            ck: out(4, 2),
            ik: out(8, 4),
            ak: first(&out2),
            ak_resync: first(&out(12, 8)),
        }
    }
}

impl Drop for Milenage {
    fn drop(&mut self) {
        self.opc.zeroize();
    }
}

/// `a` xor `b`.
pub(super) fn xor<const N: usize>(a: &[u8; N], b: &[u8; N]) -> [u8; N] {
    let mut out = *a;
    for (byte, other) in out.iter_mut().zip(b) {
        *byte ^= other;
    }
    out
}

fn first<const N: usize>(block: &Block) -> [u8; N] {
    let mut out = [0; N];
    for (to, from) in out.iter_mut().zip(block) {
        *to = *from;
    }
    out
}

fn last<const N: usize>(block: &Block) -> [u8; N] {
    let mut out = [0; N];
    for (to, from) in out.iter_mut().rev().zip(block.iter().rev()) {
        *to = *from;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::digest::read_hex;

    /// A test set of TS 35.207 §6: K, RAND, SQN, AMF, OP; OPc, f1, f1*, f2, f5, f3, f4, f5*.
    fn check(set: [&str; 13]) {
        let [k, rand, sqn, amf, op, opc, f1, f1_star, f2, f5, f3, f4, f5_star] = set;
        let (k, rand) = (read_hex(k).unwrap(), read_hex(rand).unwrap());
        let milenage = Milenage::with_op(&k, &read_hex(op).unwrap());
        assert_eq!(*milenage.opc(), read_hex::<16>(opc).unwrap());
        let macs = milenage.f1(&rand, &read_hex(sqn).unwrap(), &read_hex(amf).unwrap());
        assert_eq!(macs, (read_hex(f1).unwrap(), read_hex(f1_star).unwrap()));
        let vector = milenage.vector(&rand);
        assert_eq!(vector.res, read_hex(f2).unwrap());
        assert_eq!(vector.ak, read_hex(f5).unwrap());
        assert_eq!(vector.ck, read_hex(f3).unwrap());
        assert_eq!(vector.ik, read_hex(f4).unwrap());
        assert_eq!(vector.ak_resync, read_hex(f5_star).unwrap());
    }

    #[test]
    fn ts35_207_test_set_1() {
        check([
            "465b5ce8b199b49faa5f0a2ee238a6bc",
            "23553cbe9637a89d218ae64dae47bf35",
            "ff9bb4d0b607",
            "b9b9",
            "cdc202d5123e20f62b6d676ac72cb318",
            "cd63cb71954a9f4e48a5994e37a02baf",
            "4a9ffac354dfafb3",
            "01cfaf9ec4e871e9",
            "a54211d5e3ba50bf",
            "aa689c648370",
            "b40ba9a3c58b2a05bbf0d987b21bf8cb",
            "f769bcd751044604127672711c6d3441",
            "451e8beca43b",
        ]);
    }

    #[test]
    fn ts35_207_test_set_3() {
        check([
            "fec86ba6eb707ed08905757b1bb44b8f",
            "9f7c8d021accf4db213ccff0c7f71a6a",
            "9d0277595ffc",
            "725c",
            "dbc59adcb6f9a0ef735477b7fadf8374",
            "1006020f0a478bf6b699f15c062e42b3",
            "9cabc3e99baf7281",
            "95814ba2b3044324",
            "8011c48c0c214ed2",
            "33484dc2136b",
            "5dbdbb2954e8f3cde665b046179a5098",
            "59a92d3b476a0443487055cf88b2307b",
            "deacdd848cc6",
        ]);
    }
}
