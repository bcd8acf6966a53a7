;; Uses everything of Core 2.0 that gears may use. A module that loads with it and one that does not differ by a switch of the engine.
(table $table 4 funcref)
(elem $late func $pair)
(elem declare func $pair)
(global $seen (export "seen") (mut i32) (i32.const 0)) ;; mutable, exported
(data $text "passive")
(func $pair (param i32) (result i32 i32) ;; two results
  (local.get 0)
  (i32.extend8_s (local.get 0))) ;; sign extension
(func $vector (param i32) (result i32) ;; SIMD
  (i32x4.extract_lane 3 (i32x4.add (i32x4.splat (local.get 0)) (v128.const i32x4 1 2 3 4))))
(func (export "flux_process") (param $ptr i32) (param $len i32) (result i32)
  (block (param) (result i32 i32) ;; a block of two results
    (call $pair (local.get $len)))
  (drop)
  (drop)
  (drop (call $vector (local.get $len)))
  (drop (i32.trunc_sat_f64_s (f64.const 1e300))) ;; saturating
  (memory.init $text (i32.const 512) (i32.const 0) (i32.const 7)) ;; bulk memory
  (data.drop $text)
  (memory.fill (i32.const 600) (i32.const 1) (i32.const 8))
  (memory.copy (i32.const 700) (i32.const 600) (i32.const 8))
  (table.set $table (i32.const 0) (ref.func $pair)) ;; funcref
  (table.fill $table (i32.const 1) (ref.null func) (i32.const 1))
  (drop (table.grow $table (ref.null func) (i32.const 1)))
  (drop (table.size $table))
  (drop (ref.is_null (table.get $table (i32.const 0))))
  (elem.drop $late)
  (call_indirect $table (param i32) (result i32 i32) (local.get $len) (i32.const 0))
  (drop)
  (drop)
  (global.set $seen (i32.add (global.get $seen) (i32.const 1)))
  (call $answer (i32.const 0) (local.get $ptr) (local.get $len)))
