"""Seven kinds of Korean documents, each drawn anew with every call: layout, content and sums."""

from __future__ import annotations

import random
from datetime import date, timedelta

from PIL import Image

import phrases
from sheet import BLACK, GREY, PEN_INKS, RED, Fonts, Hand, Sheet, Word

LONG = 960  # long side of most sheets while they are drawn
WEEKDAYS = "월화수목금토일"


def some_date(rng: random.Random) -> date:
    return date(2019, 1, 2) + timedelta(days=rng.randrange(2500))


def person(rng) -> str:
    return rng.choice(phrases.SURNAMES) + rng.choice(phrases.GIVEN_NAMES)


def address(rng) -> str:
    city, district = rng.choice(phrases.CITIES)
    return f"{city} {district} {rng.choice(phrases.ROADS)} {rng.randint(1, 190)}"


def telephone(rng) -> str:
    "A number that nobody has: no exchange begins with 0."
    area = rng.choice(["02", "031", "042", "051", "062", "010"])
    return f"{area}-0{rng.randint(100, 999)}-{rng.randint(0, 9999):04d}"


def business_number(rng) -> str:
    "A number that no firm has: the middle part 00 is not given out."
    return f"{rng.randint(101, 699)}-00-{rng.randint(10000, 99999)}"


def won(amount: int) -> str:
    return f"{amount:,}"


def a4(rng, fonts, share=1.0) -> Sheet:
    return Sheet(rng, fonts, LONG / 1.414 * share, LONG * share)


# ---- receipts


def receipt(rng: random.Random, fonts: Fonts) -> Image.Image:
    "영수증: what was bought, and a total that contains 10 % of VAT."
    kind = rng.choice(list(phrases.SHOPS))
    names, goods, thanks = phrases.SHOPS[kind]
    size, width = rng.choice([21, 24, 27]), rng.choice([400, 440, 480])
    chosen = rng.sample(goods, rng.randint(2, min(10, len(goods))))
    bought = [(name, price, rng.choice([1, 1, 1, 2, 2, 3, 5])) for name, price in chosen]
    sheet = Sheet(rng, fonts, width, 1800)
    y = _receipt_head(sheet, rng, rng.choice(names), size)
    y, total = _receipt_items(sheet, rng, bought, size, y)
    y = _receipt_sums(sheet, rng, total, size, y)
    y = _receipt_foot(sheet, rng, thanks, size, y)
    return sheet.image.crop((0, 0, width, int(y + rng.randint(15, 70))))


def _receipt_head(sheet, rng, shop, size) -> float:
    y, middle, edge = rng.randint(18, 50), sheet.width / 2, 16
    centred = rng.random() < 0.7
    x, anchor = (middle, "ma") if centred else (edge, "la")
    parts = ["title", "shop"] if rng.random() < 0.5 else ["shop", "title"]
    for part in parts:
        text = shop if part == "shop" else rng.choice(phrases.RECEIPT_TITLES)
        big = size * rng.uniform(1.35, 1.9) if part == parts[0] else size * 1.15
        big = min(big, size * (sheet.width - 40) / sheet.length(text, size, True))
        sheet.text(x, y, text, big, True, anchor=anchor)
        y += big * 1.5
    lines = [
        address(rng),
        f"대표 {person(rng)}  T.{telephone(rng)}",
        f"사업자 {business_number(rng)}",
    ]
    for line in rng.sample(lines, rng.randint(2, 3)):
        sheet.text(x, y, line, size * 0.88, anchor=anchor)
        y += size * 1.3
    day = some_date(rng)
    clock = f"{rng.randint(8, 21):02d}:{rng.randint(0, 59):02d}"
    style = rng.choice(["{0:%Y-%m-%d}({1}) {2}", "{0:%Y/%m/%d} {2}", "{0:%Y.%m.%d} {1}요일 {2}"])
    sheet.text(edge, y + size * 0.4, style.format(day, WEEKDAYS[day.weekday()], clock), size * 0.9)
    return y + size * 2


def _receipt_rule(sheet, rng, y) -> None:
    kind = rng.choice(["dashes", "line", "double", "stars"])
    if kind == "dashes":
        sheet.dashes(14, sheet.width - 14, y)
    elif kind == "stars":
        sheet.dashes(14, sheet.width - 14, y, width=4, dash=4, gap=7)
    else:
        sheet.line(14, y, sheet.width - 14, y)
        if kind == "double":
            sheet.line(14, y + 5, sheet.width - 14, y + 5)


def _receipt_items(sheet, rng, bought, size, y) -> tuple[float, int]:
    edge, right, total = 16, sheet.width - 16, 0
    columns = (sheet.width * 0.62, sheet.width * 0.72)  # right ends of unit price and number
    _receipt_rule(sheet, rng, y)
    y += size * 0.5
    heads = (
        ("상품명", edge, "la"),
        ("단가", columns[0], "ra"),
        ("수량", columns[1] + 12, "ra"),
        ("금액", right, "ra"),
    )
    for text, x, anchor in heads:
        sheet.text(x, y, text, size * 0.9, anchor=anchor)
    y += size * 1.5
    _receipt_rule(sheet, rng, y)
    y += size * 0.5
    two_lines, numbered = rng.random() < 0.4, rng.random() < 0.3
    for place, (name, price, count) in enumerate(bought, 1):
        total += price * count
        name = f"{place:02d} {name}" if numbered else name
        fitting = (
            min(1, (columns[0] - edge - 70) / sheet.length(name, size)) if not two_lines else 1
        )
        sheet.text(edge, y, name, size * fitting)
        if two_lines:
            y += size * 1.25
        sheet.text(columns[0], y, won(price), size * 0.95, anchor="ra")
        sheet.text(columns[1], y, str(count), size * 0.95, anchor="ra")
        sheet.text(right, y, won(price * count), size * 0.95, anchor="ra")
        y += size * rng.choice([1.3, 1.45])
    return y + size * 0.3, total


def _receipt_sums(sheet, rng, total, size, y) -> float:
    edge, right = 16, sheet.width - 16
    supply = round(total / 1.1)
    rows = [("과세 물품가액", supply), ("부가세(10%)", total - supply)]
    _receipt_rule(sheet, rng, y)
    y += size * 0.6
    for name, amount in rows:
        sheet.text(edge, y, name, size)
        sheet.text(right, y, won(amount), size, anchor="ra")
        y += size * 1.35
    sheet.text(edge, y, rng.choice(["합 계", "합계 금액", "받을 금액", "총 액"]), size * 1.4, True)
    sheet.text(right, y, won(total) + rng.choice(["", "원"]), size * 1.4, True, anchor="ra")
    y += size * 2.1
    _receipt_rule(sheet, rng, y)
    y += size * 0.6
    if rng.random() < 0.4:
        given = -(-total // 10000) * 10000
        rows = [("받은 돈(현금)", won(given)), ("거스름돈", won(given - total))]
    else:
        card = f"{rng.randint(1000, 9999)}-****-****-{rng.randint(100, 999)}*"
        rows = [
            (rng.choice(phrases.CARDS), card),
            ("승인번호", f"{rng.randrange(10**8):08d}"),
            ("할부", rng.choice(["일시불", "일시불", "3개월"])),
        ]
    for name, value in rows:
        sheet.text(edge, y, name, size * 0.92)
        sheet.text(right, y, value, size * 0.92, anchor="ra")
        y += size * 1.35
    return y


def _receipt_foot(sheet, rng, thanks, size, y) -> float:
    y += size * 0.4
    sheet.text(sheet.width / 2, y, thanks, size * 0.92, anchor="ma")
    y += size * 1.7
    if rng.random() < 0.45:
        x, high = 40, rng.randint(45, 80)
        while x < sheet.width - 40:
            bar = rng.choice([2, 2, 4, 6])
            sheet.box(x, y, x + bar - 1, y + high, fill=BLACK, width=0)
            x += bar + rng.choice([2, 3, 5])
        y += high + 6
    if rng.random() < 0.25:
        sheet.seal(
            rng.randint(30, sheet.width - 150), y - 150, 110, rng.choice(["결제완료", "수령함"])
        )
    return y


# ---- invoices


def invoice(rng: random.Random, fonts: Fonts) -> Image.Image:
    "세금계산서: two firms, a table of goods, the sum and 10 % of tax."
    ink = rng.choice([(190, 50, 55), (45, 70, 165), BLACK, BLACK, (60, 60, 64), (30, 100, 70)])
    kind = rng.choice(["wide", "wide", "tall", "tall", "twice"])
    if kind == "wide":
        sheet = Sheet(rng, fonts, LONG, LONG / rng.uniform(1.35, 1.65))
        _invoice_block(sheet, rng, ink, 30, 30, LONG - 30, sheet.height - 30)
        return sheet.image
    sheet = a4(rng, fonts)
    edge = rng.randint(24, 50)
    if kind == "tall":
        top = rng.choice([edge, edge + 60])
        bottom = sheet.height - rng.choice([edge, 120, 240])
        _invoice_block(sheet, rng, ink, edge, top, sheet.width - edge, bottom)
        return sheet.image
    state, middle = rng.getstate(), sheet.height / 2
    _invoice_block(sheet, rng, (190, 50, 55), edge, 24, sheet.width - edge, middle - 24)
    rng.setstate(state)  # the same deal again: the copy for the other side
    _invoice_block(
        sheet, rng, (45, 70, 165), edge, middle + 24, sheet.width - edge, sheet.height - 24
    )
    sheet.dashes(0, sheet.width, middle, ink=GREY)
    return sheet.image


def _invoice_block(sheet, rng, ink, left, top, right, bottom) -> None:
    wide, high = right - left, bottom - top
    size = min(26, max(13, wide / 34, high / 40))
    title = rng.choice(phrases.INVOICE_TITLES)
    head = top + high * 0.11
    sheet.box(left, top, right, bottom, ink=ink, width=3)
    sheet.text(left + wide * 0.36, (top + head) / 2, title, size * 1.7, True, ink, "mm")
    sheet.line(left + wide * 0.7, top, left + wide * 0.7, head, ink=ink)
    for line, name in enumerate(["책번호", "일련번호"]):
        y = top + (head - top) * (0.28 + 0.45 * line)
        sheet.text(left + wide * 0.72, y, name, size * 0.72, ink=ink, anchor="lm")
        number = (
            f"{rng.randint(1, 12)}권 {rng.randint(1, 50)}호"
            if not line
            else f"{rng.randrange(10**4):04d}"
        )
        sheet.text(right - 8, y, number, size * 0.72, anchor="rm")
    parties = head + high * 0.27
    middle = left + wide / 2
    firms = rng.sample(phrases.FIRMS, 2)
    _invoice_firm(
        sheet, rng, ink, "공급자", firms[0], (left, head, middle, parties), size, sealed=True
    )
    _invoice_firm(sheet, rng, ink, "공급받는자", firms[1], (middle, head, right, parties), size)
    _invoice_deal(sheet, rng, ink, (left, parties, right, bottom), size)


def _invoice_firm(sheet, rng, ink, side, firm, corners, size, sealed=False) -> None:
    left, top, right, bottom = corners
    name, trade, line = firm
    small = size * 0.72
    sheet.box(*corners, ink=ink)
    tab = left + small * 1.7
    sheet.line(tab, top, tab, bottom, ink=ink)
    for place, character in enumerate(side):
        y = top + (bottom - top) * (place + 0.5) / len(side)
        sheet.text((left + tab) / 2, y, character, small, ink=ink, anchor="mm")
    rows = [
        ("등록번호", business_number(rng), None, None),
        ("상호", name, "성명", person(rng)),
        ("주소", address(rng), None, None),
        ("업태", trade, "종목", line),
    ]
    labels, half = tab + small * 4.4, tab + (right - tab) * 0.58
    for place, (first, value, second, other) in enumerate(rows):
        y = top + (bottom - top) * (place + 0.5) / len(rows)
        if place:
            edge = top + (bottom - top) * place / len(rows)
            sheet.line(tab, edge, right, edge, ink=ink)
        sheet.text((tab + labels) / 2, y, first, small, ink=ink, anchor="mm")
        room = (half if second else right) - labels - 8
        grown = size * 0.95 if place == 0 else small
        grown = min(grown, grown * room / sheet.length(value, grown))
        sheet.text(labels + 6, y, value, grown, bold=place == 0, anchor="lm")
        if second:
            sheet.text(half + small * 1.2, y, second, small, ink=ink, anchor="mm")
            room = right - half - small * 2.4 - 4
            fitting = min(small, small * room / sheet.length(other, small))
            sheet.text(half + small * 2.4, y, other, fitting, anchor="lm")
    sheet.line(labels, top, labels, bottom, ink=ink)
    if sealed and rng.random() < 0.8:
        side_ = int(size * 2.6)
        sheet.seal(
            right - side_ * 1.1,
            top + (bottom - top) * 0.12,
            side_,
            firm[0][:4],
            square=rng.random() < 0.6,
        )


def _invoice_deal(sheet, rng, ink, corners, size) -> None:
    left, top, right, bottom = corners
    high, small, day = bottom - top, size * 0.74, some_date(rng)
    chosen, lines = rng.sample(phrases.GOODS, rng.randint(1, 6)), []
    for name, form, price in chosen:
        count = rng.choice([1, 2, 3, 5, 10, 12, 20]) * (100 if price < 1000 else 1)
        lines.append((name, form, count, price, count * price, count * price // 10))
    supply, tax = sum(line[4] for line in lines), sum(line[5] for line in lines)
    band = top + max(high * 0.14, size * 2.2)
    marks = [
        ("작성", f"{day:%Y.%m.%d}", 0.0, 0.22),
        ("공급가액", won(supply), 0.22, 0.5),
        ("세액", won(tax), 0.5, 0.74),
        ("비고", rng.choice(phrases.INVOICE_NOTES), 0.74, 1.0),
    ]
    for name, value, start, end in marks:
        first, last = left + (right - left) * start, left + (right - left) * end
        sheet.box(first, top, last, band, ink=ink)
        sheet.text(
            (first + last) / 2, top + (band - top) * 0.24, name, small * 0.9, ink=ink, anchor="mm"
        )
        fitting = min(size, size * (last - first - 8) / max(1, sheet.length(value, size, True)))
        sheet.text((first + last) / 2, top + (band - top) * 0.7, value, fitting, True, anchor="mm")
    foot = bottom - high * 0.17
    _invoice_lines(sheet, rng, ink, (left, band, right, foot), small, day, lines)
    _invoice_foot(sheet, rng, ink, (left, foot, right, bottom), small, supply + tax)


def _invoice_lines(sheet, rng, ink, corners, small, day, lines) -> None:
    left, top, right, bottom = corners
    heads = ["월", "일", "품목", "규격", "수량", "단가", "공급가액", "세액"]
    ends = [0.05, 0.10, 0.33, 0.44, 0.53, 0.67, 0.85, 1.0]
    rows = max(4, len(lines)) + rng.choice([0, 0, 1, 2])
    step = (bottom - top) / (rows + 1)
    for row in range(rows + 1):
        sheet.line(
            left, top + row * step, right, top + row * step, ink=ink, width=2 if row < 2 else 1
        )
    start = 0.0
    for column, (name, end) in enumerate(zip(heads, ends)):
        first, last = left + (right - left) * start, left + (right - left) * end
        sheet.line(last, top, last, bottom, ink=ink, width=1)
        sheet.text((first + last) / 2, top + step / 2, name, small, ink=ink, anchor="mm")
        for row, (name_, form, count, price, supply, tax) in enumerate(lines, 1):
            value = [
                str(day.month),
                str(day.day),
                name_,
                form,
                won(count),
                won(price),
                won(supply),
                won(tax),
            ][column]
            fitting = min(small, small * (last - first - 6) / sheet.length(value, small))
            x, anchor = (first + 4, "lm") if column in (2, 3) else (last - 4, "rm")
            sheet.text(x, top + (row + 0.5) * step, value, fitting, anchor=anchor)
        start = end


def _invoice_foot(sheet, rng, ink, corners, small, total) -> None:
    left, top, right, bottom = corners
    middle, wide = (top + bottom) / 2, right - left
    sheet.line(left, top, right, top, ink=ink, width=2)
    claimed = rng.choice(["영수", "청구"])
    heads = ["합계금액", "현금", "수표", "어음", "외상미수금"]
    paid = 1 if claimed == "영수" else 4
    for place, name in enumerate(heads):
        first, last = left + wide * 0.155 * place, left + wide * 0.155 * (place + 1)
        sheet.line(last, top, last, bottom, ink=ink, width=1)
        sheet.text((first + last) / 2, (top + middle) / 2, name, small, ink=ink, anchor="mm")
        if place in (0, paid):
            value = won(total)
            fitting = min(small * 1.05, small * (last - first - 6) / sheet.length(value, small))
            sheet.text((first + last) / 2, (middle + bottom) / 2, value, fitting, anchor="mm")
    sheet.line(left, middle, left + wide * 0.775, middle, ink=ink, width=1)
    sheet.text(left + wide * 0.8875, middle, f"이 금액을 {claimed}함", small, ink=ink, anchor="mm")


# ---- application forms


def form(rng: random.Random, fonts: Fonts) -> Image.Image:
    "신청서: labelled fields, boxes to tick, a statement, a date and a signature."
    title, addressee, extra, boxes = rng.choice(phrases.FORMS)
    sheet = a4(rng, fonts) if rng.random() < 0.75 else Sheet(rng, fonts, LONG, LONG / 1.414)
    wide = sheet.width > sheet.height
    edge, size = rng.randint(34, 70), rng.choice([20, 22, 24]) - (2 if wide else 0)
    hand = Hand.of(rng, rng.choice(PEN_INKS[:4]))
    filled = rng.choices(["hand", "type", "blank"], [5, 2, 2])[0]
    y = _form_head(sheet, rng, title, edge, size)
    y = _form_fields(sheet, rng, extra, edge, y, size, hand, filled)
    y = _form_boxes(sheet, rng, boxes, edge, y, size, hand, filled)
    if not wide and rng.random() < 0.75:
        y = _form_reason(sheet, rng, edge, y, size, hand, filled)
    _form_end(sheet, rng, addressee, edge, y, size, hand, filled)
    return sheet.image


def _form_head(sheet, rng, title, edge, size) -> float:
    y = rng.randint(30, 60)
    if rng.random() < 0.6:
        sheet.text(edge, y, f"[별지 제{rng.randint(1, 14)}호 서식]", size * 0.75)
        if rng.random() < 0.5:
            sheet.text(sheet.width - edge, y, "(앞쪽)", size * 0.75, anchor="ra")
        y += size * 1.5
    big = min(size * 1.75, size * (sheet.width - 2 * edge - 40) / sheet.length(title, size, True))
    style = rng.choice(["plain", "boxed", "under", "grey"])
    if style in ("boxed", "grey"):
        fill = (218, 220, 224) if style == "grey" else None
        sheet.box(edge, y - 6, sheet.width - edge, y + big * 1.6, fill=fill)
    sheet.text(sheet.width / 2, y + big * 0.72, title, big, True, anchor="mm")
    if style == "under":
        half = sheet.length(title, big, True) / 2
        for lower in (1.5, 1.62):
            sheet.line(
                sheet.width / 2 - half, y + big * lower, sheet.width / 2 + half, y + big * lower
            )
    y += big * 2.1
    if rng.random() < 0.5:
        heads, left = ["접수번호", "접수일자", "처리기간"], edge
        step = (sheet.width - 2 * edge) / 3
        for place, name in enumerate(heads):
            value = "" if place < 2 else f"{rng.choice([3, 5, 7, 14])}일"
            sheet.box(left, y, left + step, y + size * 1.7, width=1, fill=(232, 233, 236))
            sheet.text(left + 8, y + size * 0.85, f"{name}  {value}", size * 0.75, anchor="lm")
            left += step
        y += size * 2.1
    return y


def _entry(sheet, rng, x, y, room, value, size, hand, filled) -> None:
    "Fills one field, centred on `y`: by hand, in type, or not at all."
    if filled == "blank" or not value:
        return
    if filled == "hand":
        size = min(size * 1.1, size * room / (sheet.length(value, size) + 1) * 0.95)
        sheet.write(x + size * 0.2, y + rng.uniform(-3, 3), value, size, hand)
    else:
        fitting = min(size * 0.9, size * room / (sheet.length(value, size) + 1))
        sheet.text(x, y, value, fitting, anchor="lm")


def _form_fields(sheet, rng, extra, edge, y, size, hand, filled) -> float:
    born = some_date(rng).replace(year=rng.randint(1950, 2009), day=rng.randint(1, 28))
    mail = f"{rng.choice(phrases.EMAIL_NAMES)}{rng.randint(1, 99)}@example.kr"
    known = [
        ("성    명", person(rng)),
        ("생년월일", f"{born:%Y. %m. %d.}"),
        ("연 락 처", telephone(rng)),
        ("전자우편", mail),
        ("주    소", address(rng)),
    ]
    wide = sheet.width > sheet.height
    rows = known[: rng.choice([2, 3] if wide else [3, 4])] + [known[4]] + extra[: 2 if wide else 4]
    high, left, right = size * rng.uniform(1.9, 2.5), edge, sheet.width - edge
    label = left + size * rng.uniform(5.2, 6.5)
    tinted = rng.choice([None, (226, 228, 232), (240, 236, 224)])
    row = 0
    top = y
    while row < len(rows):
        pair = row + 1 < len(rows) and row < 2 and rng.random() < 0.6
        cells = [(left, label, right)]
        if pair:
            middle = (left + right) / 2
            cells = [(left, label, middle), (middle, middle + label - left, right)]
        for start, mark, end in cells:
            name, value = rows[row]
            sheet.box(start, y, mark, y + high, width=1, fill=tinted)
            sheet.box(mark, y, end, y + high, width=1)
            sheet.spread(
                start + 8, mark - 8, y + high / 2 - size * 0.45, name.replace(" ", ""), size * 0.82
            )
            _entry(sheet, rng, mark + 8, y + high / 2, end - mark - 16, value, size, hand, filled)
            row += 1
        y += high
    sheet.box(left, top, right, y, width=3)
    return y + size * 0.6


def _form_boxes(sheet, rng, boxes, edge, y, size, hand, filled) -> float:
    name, choices = boxes
    high, x = size * 2.1, edge + size * 6
    sheet.box(edge, y, sheet.width - edge, y + high, width=2)
    sheet.text(edge + 10, y + high / 2, name, size * 0.85, anchor="lm")
    ticked = rng.randrange(len(choices)) if filled != "blank" else None
    step = (sheet.width - edge - x - 6) / len(choices)
    side = size * 0.8
    for place, choice in enumerate(choices):
        sheet.box(x, y + high / 2 - side / 2, x + side, y + high / 2 + side / 2, width=2)
        if place == ticked:
            sheet.tick(
                x + 1, y + high / 2 - side / 2, side, hand.ink if filled == "hand" else BLACK
            )
        fitting = min(size * 0.82, size * (step - side - 10) / sheet.length(choice, size))
        sheet.text(x + side + 5, y + high / 2, choice, fitting, anchor="lm")
        x += step
    return y + high + size * 0.6


def _form_reason(sheet, rng, edge, y, size, hand, filled) -> float:
    high = size * rng.uniform(3.4, 5.4)
    sheet.box(edge, y, sheet.width - edge, y + high, width=2)
    sheet.text(edge + 10, y + 8, rng.choice(["신청 사유", "신청 내용", "사유"]), size * 0.8)
    lines = rng.sample(phrases.FORM_REASONS, rng.randint(1, int(high / size / 1.8)))
    for place, text in enumerate(lines):
        _entry(
            sheet,
            rng,
            edge + 16,
            y + size * (1.9 + 1.4 * place),
            sheet.width - 2 * edge - 40,
            text,
            size,
            hand,
            filled,
        )
    return y + high + size * 0.7


def _form_end(sheet, rng, addressee, edge, y, size, hand, filled) -> None:
    for text in rng.sample(phrases.FORM_CONSENTS, 3):
        if y > sheet.height - size * 8.2:
            break
        y = sheet.paragraph(edge + 6, y, sheet.width - 2 * edge - 12, text, size * 0.82) + 4
    if sheet.height - y > size * 9 and rng.random() < 0.6:
        papers = ", ".join(rng.sample(phrases.FORM_PAPERS, 2))
        sheet.text(edge + 6, y + 6, f"구비 서류: {papers}", size * 0.78)
        y += size * 1.6
    y = min(y + size * rng.uniform(0.4, 1.6), sheet.height - size * 5.2)
    day = some_date(rng)
    text = (
        f"{day.year}년   {day.month}월   {day.day}일" if filled != "blank" else "년      월      일"
    )
    sheet.text(sheet.width / 2, y, text, size, anchor="ma")
    y += size * 1.8
    sheet.text(sheet.width * 0.5, y, "신청인", size * 0.95)
    sheet.text(sheet.width - edge, y, "(서명 또는 인)", size * 0.8, anchor="ra")
    if filled != "blank":
        sheet.write(sheet.width * 0.64, y + size * 0.5, person(rng), size * 1.15, hand)
        if rng.random() < 0.3:
            sheet.seal(
                sheet.width - edge - 70,
                y - 22,
                62,
                rng.choice(phrases.SURNAMES) + "인",
                square=False,
            )
    sheet.text(
        edge + 6,
        min(y + size * 1.9, sheet.height - size * 1.8),
        f"{addressee}  귀하",
        size * 1.15,
        True,
    )


# ---- papers


def paper(rng: random.Random, fonts: Fonts) -> Image.Image:
    "논문: title, abstract, two columns of text with formulas, a figure and perhaps a table."
    words = dict(zip(("topic", "method", "data", "measure"), map(Word, rng.choice(phrases.PAPERS))))
    sheet = a4(rng, fonts)
    edge, size = rng.randint(44, 72), rng.choice([15, 16, 18])
    first = rng.random() < 0.72
    words["deck"] = rng.sample(phrases.PAPER_SENTENCES, len(phrases.PAPER_SENTENCES))
    words["formulas"] = rng.sample(phrases.PAPER_FORMULAS, len(phrases.PAPER_FORMULAS))
    y = _paper_head(sheet, rng, words, edge, size) if first else _paper_top(sheet, rng, edge, size)
    if not first and rng.random() < 0.4:
        y = _figure(sheet, rng, words, edge, y, sheet.width - 2 * edge, 190, size)
    gap = rng.randint(18, 30)
    column = (sheet.width - 2 * edge - gap) / 2
    number = 1 if first else rng.randint(2, 6)
    bottom = sheet.height - edge - size * 2
    figure_in = rng.choice([0, 1])
    for place in (0, 1):
        x = edge + place * (column + gap)
        extras = ["formula"] * rng.randint(1, 2) + (["figure"] if place == figure_in else [])
        if rng.random() < 0.35:
            extras.append("table")
        number = _paper_column(sheet, rng, words, x, y, column, bottom, size, number, extras)
    sheet.text(
        sheet.width / 2, sheet.height - edge, f"- {rng.randint(1, 340)} -", size * 0.9, anchor="ma"
    )
    return sheet.image


def _paper_top(sheet, rng, edge, size) -> float:
    text = f"{rng.choice(phrases.JOURNALS)} 제{rng.randint(3, 44)}권 제{rng.randint(1, 4)}호"
    sheet.text(edge, edge * 0.6, text, size * 0.8)
    sheet.line(edge, edge * 0.6 + size * 1.2, sheet.width - edge, edge * 0.6 + size * 1.2, width=1)
    return edge * 0.6 + size * 2.2


def _paper_head(sheet, rng, words, edge, size) -> float:
    y = _paper_top(sheet, rng, edge, size) if rng.random() < 0.6 else edge
    y += size
    big, room = size * rng.uniform(1.7, 2.1), sheet.width - 2 * edge
    for line in sheet.wrap(
        rng.choice(phrases.PAPER_TITLES).format(**words), room * 0.95, big, True
    ):
        sheet.text(sheet.width / 2, y, line, big, True, anchor="ma")
        y += big * 1.35
    y += size * 0.4
    authors = "  ·  ".join(person(rng) + mark for mark in ["¹*", "²", "¹"][: rng.randint(1, 3)])
    sheet.text(sheet.width / 2, y, authors, size * 1.1, anchor="ma")
    school, other = rng.sample(["가람대학교", "한울대학교", "너른과학기술원", "미르연구소"], 2)
    y += size * 1.6
    sheet.text(
        sheet.width / 2,
        y,
        f"{school} {rng.choice(['전산학과', '통계학과', '환경공학과'])}, {other}",
        size * 0.88,
        anchor="ma",
    )
    y += size * 2
    inset = rng.choice([0, 30, 50])
    sheet.text(
        sheet.width / 2,
        y,
        rng.choice(["요 약", "초 록", "국문 요약"]),
        size * 1.05,
        True,
        anchor="ma",
    )
    text = _sentences(words, rng.randint(4, 6))
    y = sheet.paragraph(
        edge + inset, y + size * 1.7, room - 2 * inset, text, size * 0.95, justify=True
    )
    keywords = ", ".join([words["topic"], words["method"], words["measure"]])
    sheet.text(edge + inset, y + size * 0.3, f"주제어: {keywords}", size * 0.9, True)
    y += size * 2.2
    if rng.random() < 0.6:
        sheet.line(edge, y, sheet.width - edge, y, width=1)
    return y + size * 0.9


def _sentences(words, count) -> str:
    "The next sentences of the page's deck; what was used goes to its end."
    drawn = words["deck"][:count]
    words["deck"][:] = words["deck"][count:] + drawn
    return " ".join(text.format(**words) for text in drawn)


def _formula(sheet, x, y, text, size) -> float:
    "Sets `text` with `_i` below and `^2` above the line, from `x`; the x where it ends."
    place = 0
    while place < len(text):
        raised = {"_": 0.42, "^": -0.12}.get(text[place])
        if raised is not None:
            place += 1
        here = size if raised is None else size * 0.66
        sheet.text(x, y + size * (raised or 0), text[place], here)
        x += sheet.length(text[place], here)
        place += 1
    return x


def _paper_column(sheet, rng, words, x, y, column, bottom, size, number, extras) -> int:
    "Fills one column; the number of the next section."
    names = phrases.PAPER_SECTIONS
    pending = rng.sample(extras, len(extras))
    leading = 1.42
    while y < bottom - size * 4:
        if number == 1 or rng.random() < 0.5:
            head = f"{number}. {names[min(number - 1, len(names) - 1)]}"
            sheet.text(x, y + size * 0.3, head, size * 1.15, True)
            y, number = y + size * 2.1, number + 1
        text = "  " + _sentences(words, rng.randint(2, 4))
        lines = int((bottom - y) / (size * leading))
        kept = sheet.wrap(text, column, size)[: max(1, lines)]
        y = sheet.paragraph(x, y, column, " ".join(kept), size, leading, justify=True) + size * 0.4
        extra = pending.pop() if pending else None
        if extra == "formula" and y < bottom - size * 4:
            formula = words["formulas"].pop()
            fitting = min(size * 1.1, size * (column - 44) / sheet.length(formula, size))
            start = x + max(0, (column - 30 - sheet.length(formula, fitting) * 0.9) / 2)
            _formula(sheet, start, y + size * 0.4, formula, fitting)
            sheet.text(x + column, y + size * 0.4, f"({rng.randint(1, 5)})", size, anchor="ra")
            y += size * 2.4
        elif extra == "figure" and y < bottom - 190:
            y = _figure(sheet, rng, words, x, y, column, rng.randint(120, 160), size)
        elif extra == "table" and y < bottom - size * 9:
            y = _small_table(sheet, rng, words, x, y, column, size)
    return number


def _figure(sheet, rng, words, x, y, width, high, size) -> float:
    _chart(
        sheet,
        rng,
        rng.choice(["lines", "bars", "dots"]),
        x + 14,
        y + 6,
        x + width - 8,
        y + high,
        ["1", "2", "3", "4", "5"],
        size * 0.8,
        [BLACK, GREY],
    )
    sheet.text(
        x + width / 2,
        y + high + size * 1.5,
        f"그림 {rng.randint(1, 4)}. {words['measure']}의 변화",
        size * 0.9,
        anchor="ma",
    )
    return y + high + size * 3.3


def _small_table(sheet, rng, words, x, y, width, size) -> float:
    sheet.text(x + width / 2, y, f"표 1. 조건별 {words['measure']}", size * 0.9, anchor="ma")
    y += size * 1.5
    rows = [["방법", "평균", "편차"]]
    rows += [
        [name, f"{rng.uniform(0.5, 0.95):.3f}", f"{rng.uniform(0.004, 0.05):.3f}"]
        for name in ("기준", "비교", "제안")[: rng.randint(2, 3)]
    ]
    sheet.line(x, y, x + width, y)
    for place, row in enumerate(rows):
        for column, text in enumerate(row):
            sheet.text(x + width * (0.2 + 0.3 * column), y + 4, text, size * 0.9, anchor="ma")
        y += size * 1.5
        if place in (0, len(rows) - 1):
            sheet.line(x, y, x + width, y, width=1 if place == 0 else 2)
    return y + size


def _chart(sheet, rng, kind, left, top, right, bottom, names, size, inks) -> None:
    "Axes and a curve, bars, points or a pie between the corners."
    if kind == "pie":
        return _pie(sheet, rng, left, top, right, bottom, names, size, inks)
    sheet.line(left, top, left, bottom, width=2)
    sheet.line(left, bottom, right, bottom, width=2)
    for line in range(1, 4):
        y = bottom - (bottom - top) * line / 4
        sheet.dashes(left, right, y, ink=(190, 190, 194), width=1)
    step = (right - left) / len(names)
    for place, name in enumerate(names):
        sheet.text(left + step * (place + 0.5), bottom + 4, name, size, anchor="ma")
    for series, ink in enumerate(inks[: rng.randint(1, 2)]):
        value, points = rng.uniform(0.2, 0.8), []
        for place in range(len(names)):
            value = min(0.95, max(0.08, value + rng.uniform(-0.25, 0.25)))
            points.append((left + step * (place + 0.5), bottom - (bottom - top) * value))
        if kind == "bars":
            for x, y in points:
                x += (series - 0.5) * step * 0.3
                sheet.box(x - step * 0.15, y, x + step * 0.15, bottom, ink=ink, fill=ink, width=1)
        elif kind == "lines":
            sheet.curve(points, ink, 3)
        if kind != "bars":
            for x, y in points:
                sheet.draw.ellipse((x - 4, y - 4, x + 4, y + 4), fill=ink)


def _pie(sheet, rng, left, top, right, bottom, names, size, inks) -> None:
    legend = size * (1.6 + max(len(name) for name in names))
    side = min(right - left - legend, bottom - top) * 0.92
    x, y = (left + legend + right - side) / 2, (top + bottom - side) / 2
    shares = [rng.uniform(1, 4) for _ in names]
    start = -90.0
    for place, (name, share) in enumerate(zip(names, shares)):
        end = start + 360 * share / sum(shares)
        tone = 0.35 + 0.6 * place / len(names)
        ink = tuple(round(255 - (255 - part) * (1.1 - tone)) for part in inks[0])
        sheet.draw.pieslice(
            (x, y, x + side, y + side), start, end, fill=ink, outline=(255, 255, 255)
        )
        sheet.box(
            left,
            top + place * size * 1.5,
            left + size,
            top + place * size * 1.5 + size,
            fill=ink,
            width=1,
        )
        sheet.text(left + size * 1.4, top + place * size * 1.5, name, size * 0.9)
        start = end


# ---- notes by hand


def memo(rng: random.Random, fonts: Fonts) -> Image.Image:
    "손글씨 메모: a few lines by one hand, on ruled, squared or plain paper."
    shape = rng.choice([(640, 900), (640, 900), (720, 720), (900, 640), (680, 960), (560, 960)])
    sheet = Sheet(rng, fonts, *shape)
    step = rng.choice([46, 52, 58, 66])
    top, edge = rng.randint(60, 120), rng.randint(50, 110)
    _memo_paper(sheet, rng, step, top, edge)
    hand = Hand.of(rng)
    topic = rng.choice(list(phrases.MEMOS))
    size, y = step * rng.uniform(0.56, 0.72), top + step * 0.5
    if rng.random() < 0.5:
        day = some_date(rng)
        text = rng.choice(
            [f"{day.month}/{day.day} ({WEEKDAYS[day.weekday()]})", f"{day.month}월 {day.day}일"]
        )
        sheet.write(sheet.width - edge - size * 4, top - step * 0.5, text, size * 0.85, hand)
    if rng.random() < 0.75:
        end = sheet.write(
            edge + 10, y - step * 0.1, rng.choice(phrases.MEMO_TITLES[topic]), size * 1.3, hand
        )
        if rng.random() < 0.6:
            sheet.stroke(edge, y + size * 0.75, end, y + size * 0.7, hand.ink)
        y += step * rng.choice([1.3, 2])
    _memo_lines(sheet, rng, topic, edge, y, step, size, hand)
    return sheet.image


def _memo_paper(sheet, rng, step, top, edge) -> None:
    kind = rng.choice(["ruled", "ruled", "ruled", "squared", "plain", "margin"])
    ink = rng.choice([(150, 178, 214), (170, 170, 174), (188, 170, 150), (160, 200, 178)])
    if kind == "plain":
        return
    for y in range(top, sheet.height - 20, step if kind != "squared" else step // 2):
        sheet.line(0 if kind != "margin" else 20, y, sheet.width, y, ink=ink)
    if kind == "squared":
        for x in range(step // 3, sheet.width, step // 2):
            sheet.line(x, top, x, sheet.height, ink=ink, width=1)
    if kind == "margin":
        sheet.line(edge - 14, 0, edge - 14, sheet.height, ink=(214, 120, 120), width=3)
    if rng.random() < 0.3:
        for x in range(30, sheet.width - 20, 44):  # holes of a spiral
            sheet.draw.ellipse((x, 12, x + 20, 32), fill=(96, 94, 92))


def _memo_lines(sheet, rng, topic, edge, y, step, size, hand) -> None:
    lines = rng.sample(phrases.MEMOS[topic], rng.randint(5, len(phrases.MEMOS[topic])))
    mark = rng.choice(["-", "•", "1", "box", "", ""])
    room = sheet.width - edge - 20
    for place, text in enumerate(lines, 1):
        if y > sheet.height - step:
            return
        x = edge + rng.uniform(0, 14)
        if mark == "box":
            side = size * 0.7
            sheet.box(x, y - side / 2, x + side, y + side / 2, ink=hand.ink)
            if rng.random() < 0.5:
                sheet.tick(x, y - side / 2, side, hand.ink)
            x += side * 1.6
        elif mark:
            x = sheet.write(x + 6, y, f"{place})" if mark == "1" else mark, size, hand) + size * 0.5
        for line in sheet.wrap(text, room - (x - edge), size * 0.98):
            end = sheet.write(x + size / 2, y, line, size, hand)
            last = y
            y += step
        _memo_marks(sheet, rng, x, end, last, size, hand)
        if rng.random() < 0.12:
            y += step


def _memo_marks(sheet, rng, x, end, y, size, hand) -> None:
    "Now and then something is struck out, underlined, circled or starred."
    chance = rng.random()
    if chance < 0.08:
        sheet.stroke(x, y, end, y, hand.ink, 3, 3)
    elif chance < 0.18:
        sheet.stroke(x, y + size * 0.6, end, y + size * 0.6, rng.choice([hand.ink, RED]), 3)
    elif chance < 0.23:
        sheet.draw.ellipse((x - 10, y - size * 0.8, end + 8, y + size * 0.8), outline=RED, width=3)
    elif chance < 0.28:
        sheet.write(end + size * 0.6, y, "★", size * 0.9, hand)


# ---- slides


def slide(rng: random.Random, fonts: Fonts) -> Image.Image:
    "발표 자료: a title, points and a chart; on the screen, or printed with room for notes."
    kind = rng.choices(["screen", "print", "two"], [11, 4, 5])[0]
    wide = LONG if kind == "screen" else 560
    high = round(wide / rng.choice([4 / 3, 4 / 3, 4 / 3, 16 / 9]))
    first = _slide(rng, fonts, wide, high)
    if kind == "screen":
        return first
    sheet = a4(rng, fonts)
    x = (sheet.width - wide) // 2
    y = rng.randint(14, 50)
    sheet.image.paste(first, (x, y))
    sheet.box(x, y, x + wide, y + high, width=2)
    if kind == "two":
        below = y + high + rng.randint(16, 40)
        sheet.image.paste(_slide(rng, fonts, wide, high), (x, below))
        sheet.box(x, below, x + wide, below + high, width=2)
        return sheet.image
    hand = Hand.of(rng)
    below = y + high + 60
    for place, line in enumerate(range(below, sheet.height - 40, 46)):
        sheet.line(x, line, x + wide, line, ink=GREY, width=1)
        if place and rng.random() < 0.25:
            sheet.write(x + 20, line - 20, rng.choice(phrases.MEMOS["회의"]), 27, hand)
    return sheet.image


def _slide_theme(rng) -> tuple:
    "Background, colour of the title's band (None: no band), title, text, accent."
    accent = rng.choice(
        [(36, 84, 160), (190, 70, 40), (30, 120, 96), (110, 70, 150), (70, 74, 80), (200, 140, 20)]
    )
    pale = tuple(255 - (255 - part) // 7 for part in accent)
    dark = tuple(part // 3 for part in accent)
    white = (255, 255, 255)
    return rng.choice(
        [
            (white, None, accent, BLACK, accent),
            (white, accent, white, BLACK, accent),
            (white, None, BLACK, BLACK, accent),
            (pale, None, dark, BLACK, accent),
            (white, pale, dark, BLACK, accent),
            (dark, None, white, (225, 226, 230), tuple(min(255, part + 70) for part in accent)),
        ]
    )


def _slide(rng, fonts, wide, high) -> Image.Image:
    back, band, title_ink, ink, accent = _slide_theme(rng)
    sheet = Sheet(rng, fonts, wide, high, back)
    title, points, caption, names = rng.choice(phrases.SLIDES)
    unit = wide / 960
    size, edge = rng.choice([32, 36, 40]) * unit, rng.randint(40, 70) * unit
    head = rng.uniform(0.16, 0.22) * high
    layout = rng.choices(["both", "points", "chart", "opening"], [6, 3, 2, 2])[0]
    if layout == "opening":
        return _slide_opening(sheet, rng, title, accent, title_ink if band is None else BLACK, unit)
    if band:
        sheet.box(0, 0, wide, head, fill=band, ink=band)
    sheet.text(edge, head / 2, title, size * rng.uniform(1.25, 1.5), True, title_ink, "lm")
    if not band and rng.random() < 0.6:
        sheet.line(edge, head, wide - edge, head, ink=accent, width=max(2, round(5 * unit)))
    y = head + 0.09 * high
    if rng.random() < 0.4:
        sheet.text(
            edge, y - 0.03 * high, rng.choice(phrases.SLIDE_SUBTITLES), size * 1.05, True, accent
        )
        y += size * 1.3
    parted = layout == "both"
    left_first = rng.random() < 0.7
    if layout != "chart":
        x = edge if left_first or not parted else wide * 0.5
        _slide_points(
            sheet, rng, points, x, y, wide * (0.44 if parted else 0.84), size, ink, accent
        )
    if layout != "points":
        left, right = (
            (wide * 0.56, wide - edge) if left_first and parted else (edge + 20 * unit, wide * 0.46)
        )
        right = wide - edge if not parted else right
        chart = rng.choice(["bars", "bars", "lines", "pie"])
        _slide_chart(
            sheet, rng, chart, left, y, right, high * 0.82, caption, names, size, ink, accent
        )
    day = some_date(rng)
    sheet.text(
        edge, high * 0.93, f"{rng.choice(phrases.SLIDE_TEAMS)}  {day:%Y.%m}", size * 0.5, ink=GREY
    )
    sheet.text(wide - edge, high * 0.93, str(rng.randint(2, 28)), size * 0.5, ink=GREY, anchor="ra")
    return sheet.image


def _slide_opening(sheet, rng, title, accent, ink, unit) -> Image.Image:
    wide, high = sheet.width, sheet.height
    centred = rng.random() < 0.6
    x, anchor = (wide / 2, "mm") if centred else (70 * unit, "lm")
    sheet.text(x, high * 0.4, title, 66 * unit, True, ink, anchor)
    sheet.text(
        x, high * 0.54, rng.choice(phrases.SLIDE_SUBTITLES), 34 * unit, False, accent, anchor
    )
    day = some_date(rng)
    text = f"{day:%Y. %m. %d.}   {rng.choice(phrases.SLIDE_TEAMS)} {person(rng)}"
    sheet.text(x, high * 0.8, text, 28 * unit, ink=GREY, anchor=anchor)
    place = rng.choice([0.0, 0.92])
    sheet.box(0, high * place, wide, high * (place + 0.08), ink=accent, fill=accent)
    return sheet.image


def _slide_points(sheet, rng, points, x, y, room, size, ink, accent) -> None:
    mark = rng.choice(["disc", "square", "dash", "number"])
    leading = rng.uniform(1.8, 2.3)
    for place, text in enumerate(rng.sample(points, rng.randint(3, 4)), 1):
        middle, side = y + size * 0.55, size * 0.3
        if mark == "disc":
            sheet.draw.ellipse((x, middle - side / 2, x + side, middle + side / 2), fill=accent)
        elif mark == "square":
            sheet.box(x, middle - side / 2, x + side, middle + side / 2, fill=accent, ink=accent)
        else:
            sheet.text(x, y, "–" if mark == "dash" else f"{place}", size * 0.9, True, accent)
        lines = sheet.wrap(text, room - size * 0.9, size * 0.92)
        for line in lines:
            sheet.text(x + size * 0.9, y, line, size * 0.92, ink=ink)
            y += size * 1.3
        y += size * (leading - 1.3)


def _slide_chart(
    sheet, rng, kind, left, top, right, bottom, caption, names, size, ink, accent
) -> None:
    sheet.text((left + right) / 2, top - size * 0.2, caption, size * 0.72, True, ink, "ma")
    panel = (left - 6, top + size * 0.9, right + 6, bottom + size * 0.9)
    sheet.box(*panel, fill=(250, 250, 251), ink=(200, 200, 204), width=1)
    second = tuple((part + 160) // 2 for part in accent)
    _chart(
        sheet,
        rng,
        kind,
        left + 14,
        top + size * 1.3,
        right - 6,
        bottom,
        names,
        size * 0.55,
        [accent, second],
    )


# ---- official letters


def letter(rng: random.Random, fonts: Fonts) -> Image.Image:
    "공문: sender, receiver, subject, numbered body, enclosures, seal and filing line."
    office, head = rng.choice(phrases.OFFICES)
    sheet = a4(rng, fonts)
    edge, size = rng.randint(50, 84), rng.choice([19, 21, 23])
    y = _letter_head(sheet, rng, office, edge, size)
    subject, day = rng.choice(phrases.LETTERS), some_date(rng)
    receiver = rng.choice([name for name in phrases.RECEIVERS if not name.startswith(office)])
    y = _letter_subject(sheet, rng, receiver, subject[0], edge, y, size)
    y = _letter_body(sheet, rng, subject, day, edge, y, size)
    foot = sheet.height - rng.randint(120, 150)
    _letter_sender(sheet, rng, head, min(y + size * rng.uniform(1.5, 4), foot - size * 4), size)
    _letter_foot(sheet, rng, day, edge, foot, size)
    return sheet.image


def _letter_head(sheet, rng, office, edge, size) -> float:
    y = rng.randint(36, 60)
    if rng.random() < 0.6:
        sheet.text(sheet.width / 2, y, f"“{rng.choice(phrases.SLOGANS)}”", size * 0.8, anchor="ma")
        y += size * 1.4
    half = sheet.length(office, size * 1.7, True) * rng.uniform(0.55, 0.8)
    left, right = sheet.width / 2 - half, sheet.width / 2 + half
    sheet.spread(max(edge, left), min(sheet.width - edge, right), y, office, size * 1.7, True)
    if left > edge + 70 and rng.random() < 0.7:  # an emblem
        mark = rng.choice([(40, 90, 160), (40, 130, 80), BLACK, (200, 120, 30)])
        sheet.draw.ellipse((edge, y - 10, edge + 56, y + 46), outline=mark, width=6)
        sheet.draw.pieslice((edge + 8, y - 2, edge + 48, y + 38), 20, 200, fill=mark)
    y += size * 3
    if rng.random() < 0.4:
        sheet.line(edge, y - size * 0.5, sheet.width - edge, y - size * 0.5, width=3)
    return y


def _letter_subject(sheet, rng, receiver, title, edge, y, size) -> float:
    rows = [("수신", receiver), ("(경유)", ""), ("제목", title)]
    for name, value in rows:
        sheet.text(edge, y, name, size)
        sheet.text(edge + size * 3.2, y, value, size, bold=name == "제목")
        y += size * 1.55
    sheet.line(edge, y, sheet.width - edge, y, width=rng.choice([1, 2, 3]))
    return y + size * 1.1


def _letter_body(sheet, rng, subject, sent, edge, y, size) -> float:
    title, reference, items = subject
    room, gap = sheet.width - 2 * edge, size * rng.uniform(0.3, 0.8)
    texts = [rng.choice(phrases.LETTER_OPENINGS)] if rng.random() < 0.75 else []
    asks = any(word in title for word in ("요청", "협조", "초청"))
    texts.append(
        rng.choice(phrases.LETTER_REQUESTS if asks else phrases.LETTER_NOTICES).format(
            reference=Word(reference)
        )
    )
    if rng.random() < 0.5:
        texts.append(rng.choice(phrases.LETTER_CLOSINGS))
    listed = len(texts) - 1 if texts[-1] in phrases.LETTER_CLOSINGS else len(texts)
    for place, text in enumerate(texts, 1):
        sheet.text(edge, y, f"{place}.", size)
        y = sheet.paragraph(edge + size * 1.3, y, room - size * 1.3, text, size, 1.5) + gap
        if place == listed:
            for letter_, item in zip("가나다", items):
                day = sent + timedelta(days=rng.randint(5, 45))
                item = item.format(
                    date=f"{day.year}. {day.month}. {day.day}.({WEEKDAYS[day.weekday()]})",
                    n=rng.randint(2, 9),
                )
                y = sheet.paragraph(
                    edge + size * 1.8, y, room - size * 2, f"{letter_}. {item}", size, 1.5
                )
            y += gap
    y += size * 0.6
    enclosed = rng.sample(phrases.ENCLOSURES, rng.randint(1, 3))
    for place, name in enumerate(enclosed, 1):
        if place == 1:
            sheet.text(edge, y, "붙임", size)
        number = f"{place}. " if len(enclosed) > 1 else ""
        end = "  끝." if place == len(enclosed) else ""
        sheet.text(
            edge + size * 2.8,
            y,
            f"{number}{title if '계획' in name else ''} {name}{end}".strip(),
            size * 0.95,
        )
        y += size * 1.5
    return y


def _letter_sender(sheet, rng, head, y, size) -> None:
    big = size * rng.uniform(1.7, 2.2)
    middle = sheet.width / 2
    half = min(sheet.width * 0.36, sheet.length(head, big, True) * rng.uniform(0.5, 0.75))
    sheet.spread(middle - half, middle + half, y, head, big, True)
    if rng.random() < 0.85:
        side = rng.randint(88, 118)
        stamp = head + ("인" if len(head) % 2 else "의인")
        sheet.seal(middle + half - side * rng.uniform(0.4, 0.7), y - side * 0.3, side, stamp)


def _letter_foot(sheet, rng, day, edge, y, size) -> None:
    small = size * 0.74
    ranks = [
        ("기안자", "주무관"),
        ("검토자", "팀장"),
        ("결재권자", rng.choice(["과장", "국장", "교감", "부장"])),
    ]
    step = (sheet.width - 2 * edge) / 3
    sheet.line(edge, y - small * 0.6, sheet.width - edge, y - small * 0.6, width=rng.choice([1, 4]))
    for place, (role, rank) in enumerate(ranks):
        sheet.text(edge + place * step, y, f"{role} {rank} {person(rng)}", small * 0.9)
    opened = rng.choice(["공개", "대국민공개", "부분공개"])
    section = rng.choice(["총무과", "기획팀", "교육지원과", "시설과", "문화진흥과"])
    lines = [
        f"시행  {section}-{rng.randint(100, 19999)} ({day.year}. {day.month}. {day.day}.)      접수",
        f"우 {rng.randint(1000, 63000):05d}   {address(rng)}",
        f"전화 {telephone(rng)}  /  {rng.choice(phrases.EMAIL_NAMES)}@example.kr  /  {opened}",
    ]
    for line in lines:
        y += small * 1.5
        sheet.text(edge, y, line, small * 0.9)


KINDS = [
    ("영수증", receipt),
    ("세금계산서", invoice),
    ("신청서", form),
    ("논문", paper),
    ("손글씨 메모", memo),
    ("발표 자료", slide),
    ("공문", letter),
]
