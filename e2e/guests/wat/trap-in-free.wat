;; The result has been copied by then: it counts, the instance does not.
(module
  (memory (export "memory") 2 2)
  (func (export "flux_alloc") (param $len i32) (result i32)
    (if (i32.gt_u (local.get $len) (i32.const 126976)) (then (return (i32.const 0))))
    (i32.const 4096))
  (func (export "flux_free") (param i32 i32)
    (unreachable))
  (func (export "flux_process") (param $ptr i32) (param $len i32) (result i32)
    (i32.store (i32.const 20) (local.get $ptr))
    (i32.store (i32.const 24) (local.get $len))
    (i32.const 16)))
