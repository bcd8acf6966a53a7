;; A length of 0 is a drop, whatever the address.
(module
  (memory (export "memory") 2)
  (func (export "alloc") (param $len i32) (result i32) (i32.const 4096))
  (func (export "free") (param $ptr i32) (param $len i32))
  (func (export "process") (param $ptr i32) (param $len i32) (result i64)
    (i64.shl (i64.extend_i32_u (local.get $ptr)) (i64.const 32))))
