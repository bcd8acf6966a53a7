;; fluxrig's own ABI: one word, address in the upper half.
(module
  (memory (export "memory") 2)
  (global $next (mut i32) (i32.const 4096))
  (global $live (mut i32) (i32.const 0))
  (func $alloc (export "alloc") (param $len i32) (result i32)
    (local $at i32)
    (local.set $at (global.get $next))
    (global.set $next (i32.and (i32.add (i32.add (local.get $at) (local.get $len)) (i32.const 15)) (i32.const -16)))
    (if (i32.gt_u (global.get $next) (i32.shl (memory.size) (i32.const 16)))
      (then
        (drop
          (memory.grow
            (i32.sub
              (i32.shr_u (i32.add (global.get $next) (i32.const 65535)) (i32.const 16))
              (memory.size))))))
    (global.set $live (i32.add (global.get $live) (i32.const 1)))
    (local.get $at))
  (func (export "free") (param $ptr i32) (param $len i32)
    (global.set $live (i32.sub (global.get $live) (i32.const 1)))
    (if (i32.eqz (global.get $live)) (then (global.set $next (i32.const 4096)))))
  ;; As fluxrig's own test guest: a second buffer, the bytes unchanged.
  (func (export "process") (param $ptr i32) (param $len i32) (result i64)
    (local $out i32)
    (local.set $out (call $alloc (local.get $len)))
    (memory.copy (local.get $out) (local.get $ptr) (local.get $len))
    (i64.or
      (i64.shl (i64.extend_i32_u (local.get $out)) (i64.const 32))
      (i64.extend_i32_u (local.get $len)))))
