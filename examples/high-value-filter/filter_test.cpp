// The filter, natively and under sanitizers.

#include "high_value_filter.cpp"

#include "../../sidecar/guest/cpp/tests/check.hpp"

namespace {

/// {"data": {"amount": {"transaction": <value>}}}
std::string paying(const std::string &value) { return raw("\xa1\x64""data\xa1\x66""amount\xa1\x6btransaction") + value; }

std::string verdict(const std::string &record) {
  const Exact exact(record);
  const flux::detail::Result *result = flux_gear_process(exact.bytes().data, exact.bytes().size);
  std::string out = std::to_string(result->code) + ":" + text({result->data, result->size});
  if (result->data != exact.bytes().data) flux::detail::release(const_cast<uint8_t *>(result->data));
  return out;
}

void configure(const char *min, const char *review) {
  flux::testing::clear_config();
  if (min != nullptr) flux::testing::set_config("min", min);
  if (review != nullptr) flux::testing::set_config("review", review);
  settings = {};
  flux_gear_start();
}

std::string refusal(const char *min, const char *review) {
  try {
    configure(min, review);
  } catch (const std::runtime_error &error) {
    return error.what();
  }
  return {};
}

} // namespace

int main() {
  const std::string small = paying(raw("\x6c""000000000099")), least = paying(raw("\x6c""000000000100")), most = paying(raw("\x6c""000000001000")),
                    high = paying(raw("\x6c""000000001001")), number = paying(raw("\x19\x03\xe9")), pieces = paying(raw("\x7f\x62""10\x62""01\xff"));
  const std::string review = raw("\xa2\x64""data\xa1\x66""amount\xa1\x6btransaction\x6c""000000001001\x64meta\xa1\x69""flux.port\x66review");

  configure(nullptr, nullptr);
  for (const std::string &record : {small, least, most, high, number, pieces}) CHECK(verdict(record) == "0:" + record);

  configure("100", "1000");
  CHECK(verdict(small) == "2:");
  CHECK(verdict(least) == "0:" + least);
  CHECK(verdict(most) == "0:" + most);
  CHECK(verdict(high) == "0:\x9f" + high + review + "\xff");
  CHECK(verdict(number).substr(0, 3) == "0:\x9f" && verdict(pieces).substr(0, 3) == "0:\x9f");

  for (const std::string &record : {raw("\xa0"), raw("\xf6"), paying(raw("\xf6")), raw("\xa1\x64""data\xa1\x72""amount.transaction\x63""100")})
    CHECK(verdict(record) == "3:data.amount.transaction is missing: text of digits is expected");
  for (const std::string &value : {raw("\x60"), raw("\x62-1"), raw("\x64""1.00"), raw("\x20"), raw("\xfb\x40\x8f\x40\0\0\0\0\0"), raw("\x80"), raw("\xf5"),
                                   raw("\x43""100") , raw("\x74""99999999999999999999")})
    CHECK(verdict(paying(value)) == "4:data.amount.transaction is no amount: text of digits is expected");

  CHECK(refusal("10 EUR", nullptr) ==
        "config.min is \"10 EUR\", a whole number of the currency's smallest unit is expected; correct spec.config.min");
  CHECK(refusal(nullptr, "") == "config.review is \"\", a whole number of the currency's smallest unit is expected; correct spec.config.review");
  CHECK(flux::testing::take_logs().size() == 2);
  return report("high-value-filter");
}
