// A gear that looks at the amount of a payment, data.amount.transaction: text of digits in the smallest unit of the currency, as
// fluxrig writes it ("000000012500" is 125.00), or a whole number.
//
//   below  config.min      dropped
//   above  config.review   goes on, and a copy goes out on the port "review" (spec.output.ports has to list it)
//   no amount, or no number   rejected, reasons 3 and 4
//
// Without config.min nothing is dropped, without config.review nothing is copied.

#include "flux_gear.hpp"

namespace {

constexpr uint8_t no_amount = 3;
constexpr uint8_t no_number = 4;

struct Settings {
  uint64_t min = 0;
  uint64_t review = UINT64_MAX;
};
Settings settings;

/// Reads a whole number, if there is one under this key. A wrong one ends the instance before its first message.
void read(flux::Text key, uint64_t &number) {
  flux::Buffer value;
  if (!flux::config(key, value)) return;
  const flux::Maybe<uint64_t> found = flux::decimal(value.text());
  if (!found) {
    flux::Buffer sentence;
    sentence.append("config.").append(key).append(" is \"").append(value.text());
    sentence.append("\", a whole number of the currency's smallest unit is expected; correct spec.config.").append(key);
    flux::fail(sentence.text());
  }
  number = *found;
}

void start() {
  read("min", settings.min);
  read("review", settings.review);
}

/// The amount, if the value is one.
flux::Maybe<uint64_t> amount_of(flux::Value value) {
  if (value.type() != flux::Type::Text) return value.unsigned_integer();
  flux::Buffer text;
  value.content(text);
  return flux::decimal(text.text());
}

flux::Verdict filter(const flux::Record &record) {
  const flux::Value value = record.get("amount.transaction");
  if (value.missing() || value.null())
    return flux::Verdict::reject_with(no_amount, "data.amount.transaction is missing: text of digits is expected");
  const flux::Maybe<uint64_t> amount = amount_of(value);
  if (!amount) return flux::Verdict::reject_with(no_number, "data.amount.transaction is no amount: text of digits is expected");
  if (*amount < settings.min) return flux::Verdict::drop();
  if (*amount <= settings.review) return flux::Verdict::pass();
  flux::Batch both;
  both.add(record).add(flux::with_meta(record, "flux.port", "review"));
  return flux::Verdict::emit_all(static_cast<flux::Batch &&>(both));
}

} // namespace

FLUX_GEAR_START(start)
FLUX_GEAR(filter)
