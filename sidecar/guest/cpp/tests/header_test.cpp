// flux_gear.hpp, natively and under sanitizers: what is read, what is written, and that nothing is read beyond the end.

#include "flux_gear.hpp"

#include "check.hpp"

namespace {

using flux::Type;

void decimals_are_whole_numbers_that_fit() {
  CHECK(*flux::decimal("0") == 0);
  CHECK(*flux::decimal("000000012500") == 12500);
  CHECK(*flux::decimal("18446744073709551615") == UINT64_MAX);
  CHECK(!flux::decimal("18446744073709551616"));
  CHECK(!flux::decimal("99999999999999999999"));
  for (const flux::Text wrong : {flux::Text(""), flux::Text("-1"), flux::Text("1.0"), flux::Text(" 1"), flux::Text("1a")})
    CHECK(!flux::decimal(wrong));
}

void items_are_written_as_short_as_they_can_be() {
  const auto written = [](auto write) {
    flux::Buffer out;
    write(out);
    return text(out);
  };
  CHECK(written([](auto &out) { out.unsigned_integer(23); }) == raw("\x17"));
  CHECK(written([](auto &out) { out.unsigned_integer(24); }) == raw("\x18\x18"));
  CHECK(written([](auto &out) { out.unsigned_integer(256); }) == raw("\x19\x01\x00"));
  CHECK(written([](auto &out) { out.unsigned_integer(65536); }) == raw("\x1a\x00\x01\x00\x00"));
  CHECK(written([](auto &out) { out.unsigned_integer(UINT64_MAX); }) == raw("\x1b\xff\xff\xff\xff\xff\xff\xff\xff"));
  CHECK(written([](auto &out) { out.integer(-1).integer(INT64_MIN).integer(5); }) == raw("\x20\x3b\x7f\xff\xff\xff\xff\xff\xff\xff\x05"));
  CHECK(written([](auto &out) { out.text_string("abc").byte_string({}); }) == raw("\x63""abc\x40"));
  CHECK(written([](auto &out) { out.array(2).boolean(true).null().map(0).boolean(false); }) == raw("\x82\xf5\xf6\xa0\xf4"));
  CHECK(written([](auto &out) { out.floating(1.5); }) == raw("\xfb\x3f\xf8\0\0\0\0\0\0"));
}

void values_are_what_they_are() {
  const auto value = [](const Exact &exact) { return flux::Value(exact.bytes()); };
  const Exact number(raw("\x19\x30\x39")), minus(raw("\x38\x63")), word(raw("\x63""abc")), pieces(raw("\x7f\x61""a\x60\x62""bc\xff")),
      truth(raw("\xf5")), nothing(raw("\xf6")), half(raw("\xf9\x3c\x00")), tagged(raw("\xc1\x01")), odd(raw("\xf8\xff")),
      largest(raw("\x1b\xff\xff\xff\xff\xff\xff\xff\xff"));
  CHECK(value(number).type() == Type::Unsigned && *value(number).unsigned_integer() == 12345 && *value(number).integer() == 12345);
  CHECK(value(minus).type() == Type::Negative && *value(minus).integer() == -100 && !value(minus).unsigned_integer());
  CHECK(*value(largest).unsigned_integer() == UINT64_MAX && !value(largest).integer());
  for (const Exact *exact : {&word, &pieces}) {
    flux::Buffer content;
    CHECK(value(*exact).type() == Type::Text && value(*exact).content(content) && text(content) == "abc");
    CHECK(value(*exact).equals("abc") && !value(*exact).equals("abd") && !value(*exact).equals("ab") && !value(*exact).equals("abcd"));
    CHECK(value(*exact).equals_in_any_case("ABC") && !value(*exact).equals_in_any_case("ABCD"));
    CHECK(!value(*exact).unsigned_integer() && !value(*exact).integer());
  }
  CHECK(value(truth).type() == Type::Boolean && value(nothing).null() && value(half).type() == Type::Float);
  CHECK(value(tagged).type() == Type::Tag && value(odd).type() == Type::Other);
  const flux::Value missing;
  flux::Buffer content;
  CHECK(missing.missing() && missing.type() == Type::Missing && !missing.null() && !missing.content(content) && !missing.equals(""));
  CHECK(missing.at("x").missing() && missing.get("a.b").missing() && missing.items().next().missing() && !missing.integer());
}

void maps_and_arrays_are_walked_in_both_forms() {
  for (const std::string &bytes : {raw("\x83\x01\x81\x02\x61""x"), raw("\x9f\x01\x81\x02\x61""x\xff")}) {
    const Exact exact(bytes);
    flux::Items items = flux::Value(exact.bytes()).items();
    CHECK(*items.next().unsigned_integer() == 1);
    CHECK(items.next().type() == Type::Array);
    CHECK(items.next().equals("x"));
    CHECK(items.next().missing() && items.next().missing());
  }
  for (const std::string &bytes : {raw("\xa3\x61""a\x01\x61""b\xa1\x61""c\x02\x61""a\x03"), raw("\xbf\x61""a\x01\x61""b\xbf\x61""c\x02\xff\x61""a\x03\xff")}) {
    const Exact exact(bytes);
    const flux::Value map(exact.bytes());
    CHECK(*map.at("a").unsigned_integer() == 3); // the last one
    CHECK(*map.get("b.c").unsigned_integer() == 2 && map.get("b.d").missing() && map.get("a.c").missing() && map.get("").missing());
  }
}

void broken_items_are_missing() {
  for (const std::string &bytes :
       {raw(""), raw("\x18"), raw("\x1b\0\0\0"), raw("\x1c"), raw("\x1f"), raw("\x63""ab"), raw("\x7b\xff\xff\xff\xff\xff\xff\xff\xff""a"), raw("\x7f\x61""a"),
        raw("\x7f\x41""a\xff"), raw("\x7f\x7f\xff\xff"), raw("\x82\x01"), raw("\x9f\x01"), raw("\xa1\x01"), raw("\xbf\x01\xff"), raw("\xc1"), raw("\xff"),
        raw("\xdf\x01"), raw("\x9b\xff\xff\xff\xff\xff\xff\xff\xff\x01"), raw("\xbb\x80\0\0\0\0\0\0\0\x01\x01"), std::string(100, '\x81') + '\x01',
        std::string(100000, '\xc1') + '\x01'}) {
    const Exact exact(bytes);
    CHECK(flux::Value(exact.bytes()).missing());
    CHECK(!flux::Record(exact.bytes()).ok());
  }
}

const std::string empty = raw("\xaa\x62id\x50\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x66ref_id\x50\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x65trace\x60\x66src_id\x50\0\0\0\0"
                              "\0\0\0\0\0\0\0\0\0\0\0\0\x64meta\xa0\x64""data\xa0\x65""flags\x00\x63raw\xf6\x64path\x80\x62ts\x00");

void records_are_read_as_fluxrig_reads_them() {
  const Exact exact(empty);
  const flux::Record record(exact.bytes());
  CHECK(exact.bytes().size == 110 && record.ok());
  CHECK(record.id().encoded().size == 17 && record.ref_id().encoded().size == 17 && record.src_id().encoded().size == 17);
  CHECK(record.trace().equals("") && record.meta().type() == Type::Map && record.data().type() == Type::Map);
  CHECK(*record.flags().unsigned_integer() == 0 && record.raw().null() && record.path().type() == Type::Array && *record.ts().integer() == 0);

  const Exact odd(raw("\xd9\xd9\xf7\xbf\x01\x02\x7f\x62TS\xff\x05\x62ts\x06\x64""DATA\xa1\x61x\x01\xff"));
  const flux::Record other(odd.bytes());
  CHECK(other.ok() && *other.ts().integer() == 5 && *other.get("x").unsigned_integer() == 1 && other.meta().missing());

  for (const std::string &bytes : {raw("\xf6"), raw("\xd9\xd9\xf7\xf6"), raw("\xa0")}) CHECK(flux::Record(Exact(bytes).bytes()).ok());
  for (const std::string &bytes : {raw("\x80"), raw("\x01"), raw("\xa0\xa0"), raw("\xf5"), raw("\xd9\xd9\xf7")})
    CHECK(!flux::Record(Exact(bytes).bytes()).ok());
}

void metadata_is_set_and_everything_else_stays() {
  const auto with = [](const std::string &bytes) {
    const Exact exact(bytes);
    return text(flux::with_meta(flux::Record(exact.bytes()), "port", "review"));
  };
  const std::string pair = raw("\x64port\x66review");
  CHECK(with(raw("\xa1\x64meta\xa0")) == raw("\xa1\x64meta\xa1") + pair);
  CHECK(with(raw("\xa2\x64meta\xa1\x61""a\x61""b\x62ts\x01")) == raw("\xa2\x64meta\xa2\x61""a\x61""b") + pair + raw("\x62ts\x01"));
  CHECK(with(raw("\xa1\x64meta\xbf\x61""a\x61""b\xff")) == raw("\xa1\x64meta\xbf\x61""a\x61""b") + pair + "\xff");
  CHECK(with(raw("\xa1\x64meta\xf6")) == raw("\xa1\x64meta\xa1") + pair);
  CHECK(with(raw("\xa1\x62ts\x01")) == raw("\xa2\x62ts\x01\x64meta\xa1") + pair);
  CHECK(with(raw("\xbf\x62ts\x01\xff")) == raw("\xbf\x62ts\x01\x64meta\xa1") + pair + "\xff");
  CHECK(with(raw("\xd9\xd9\xf7\xa0")) == raw("\xd9\xd9\xf7\xa1\x64meta\xa1") + pair);
  CHECK(with(raw("\xd9\xd9\xf7\xf6")) == raw("\xd9\xd9\xf7\xa1\x64meta\xa1") + pair);
  // What is there is replaced, twice if it is there twice, also when its key comes in pieces.
  CHECK(with(raw("\xa1\x64meta\xa1\x64port\x61x")) == raw("\xa1\x64meta\xa1") + pair);
  CHECK(with(raw("\xa1\x64meta\xa2\x7f\x64port\xff\x61x\x64port\x61y")) == raw("\xa1\x64meta\xa2\x7f\x64port\xff\x66review") + pair);
  // A head that grows.
  std::string many, more;
  for (int n = 0; n < 23; n++) many += raw("\x61""k\x61v");
  CHECK(with(raw("\xa1\x64meta\xb7") + many) == raw("\xa1\x64meta\xb8\x18") + many + pair);
}

void nothing_is_read_beyond_the_end() {
  uint64_t state = 1;
  const auto number = [&](size_t below) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return static_cast<size_t>(state >> 33) % below;
  };
  const std::string seed = raw("\xd9\xd9\xf7\xbf\x64meta\xbf\x61""a\x7f\x61""b\x60\xff\xff\x64""data\xa2\x66""amount\xa1\x6btransaction\x6c""000000012500\x61l\x9f\x01\x20\xfb\0\0\0\0\0\0\0\0\xff\xff");
  size_t read = 0;
  for (int round = 0; round < 200000; round++) {
    std::string bytes = seed.substr(0, number(4) == 0 ? number(seed.size()) : seed.size());
    for (size_t changes = number(4); changes > 0 && !bytes.empty(); changes--) bytes[number(bytes.size())] = static_cast<char>(number(256));
    const Exact exact(bytes);
    const flux::Record record(exact.bytes());
    if (!record.ok()) continue;
    read++;
    flux::Buffer content;
    record.get("amount.transaction").content(content);
    const Exact changed(text(flux::with_meta(record, "port", "review")));
    const flux::Record again(changed.bytes());
    CHECK(again.ok() && again.meta().at("port").equals("review"));
  }
  CHECK(read > 20000);
}

flux::Verdict by_record(const flux::Record &record) { return record.meta().missing() ? flux::Verdict::drop() : flux::Verdict::pass(); }
flux::Verdict by_bytes(flux::Bytes bytes) {
  flux::Batch batch;
  batch.add(bytes).add(bytes);
  return bytes.size == 1 ? flux::Verdict::emit_all(static_cast<flux::Batch &&>(batch)) : flux::Verdict::reject_with(9, "too long");
}

void results_have_a_code_and_bytes() {
  const auto result = [](auto gear, const std::string &input) {
    const Exact exact(input);
    const flux::detail::Result *result = flux::detail::process(gear, exact.bytes().data, exact.bytes().size);
    std::string out = std::to_string(result->code) + ":" + text({result->data, result->size});
    if (result->data != exact.bytes().data) flux::detail::release(const_cast<uint8_t *>(result->data));
    return out;
  };
  CHECK(result(by_record, raw("\xa1\x64meta\xa0")) == raw("0:\xa1\x64meta\xa0"));
  CHECK(result(by_record, raw("\xa0")) == "2:");
  CHECK(result(by_record, raw("\x80")) == "1:the record is no CBOR map");
  CHECK(result(by_bytes, raw("\xa0")) == raw("0:\x9f\xa0\xa0\xff"));
  CHECK(result(by_bytes, raw("\xa0\xa0")) == "9:too long");
  CHECK(flux::Verdict::reject_with(0, "").code() == 1 && flux::Verdict::reject_with(2, "").code() == 1);
  flux::Buffer record;
  record.map(0);
  flux::Verdict verdict = flux::Verdict::emit(static_cast<flux::Buffer &&>(record));
  CHECK(verdict.code() == 0 && !verdict.passes() && text(verdict.bytes()) == raw("\xa0"));
}

void the_host_is_asked_for_values_of_any_length() {
  flux::testing::set_config("long", std::string(1000, 'x'));
  flux::testing::set_config("empty", "");
  flux::Buffer value;
  CHECK(flux::config("long", value) && text(value) == std::string(1000, 'x'));
  CHECK(flux::config("empty", value) && value.size() == 1000);
  CHECK(!flux::config("nothing", value));
  flux::log::warn("close to the limit");
  bool failed = false;
  try {
    flux::fail("no way");
  } catch (const std::runtime_error &error) {
    failed = std::string("no way") == error.what();
  }
  const auto logs = flux::testing::take_logs();
  CHECK(failed && logs.size() == 2 && logs[0] == std::make_pair(3, std::string("close to the limit")) &&
        logs[1] == std::make_pair(4, std::string("no way")));
}

} // namespace

int main() {
  decimals_are_whole_numbers_that_fit();
  items_are_written_as_short_as_they_can_be();
  values_are_what_they_are();
  maps_and_arrays_are_walked_in_both_forms();
  broken_items_are_missing();
  records_are_read_as_fluxrig_reads_them();
  metadata_is_set_and_everything_else_stays();
  nothing_is_read_beyond_the_end();
  results_have_a_code_and_bytes();
  the_host_is_asked_for_values_of_any_length();
  return report("flux_gear.hpp");
}
