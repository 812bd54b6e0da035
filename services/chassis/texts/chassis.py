"""Texts of what the chassis itself says."""

from services.chassis.aggregate import Text

CHASSIS: dict[str, Text] = {
    # who calls
    "unauthenticated": Text("请先登录。", "Please sign in first.", 401),
    "token-missing": Text(
        "请先登录:请求没有携带访问令牌。", "Please sign in first: the request carries no token.", 401
    ),
    "token-invalid": Text("登录凭证无效,请重新登录。", "The token does not hold; please sign in again.", 401),
    "token-expired": Text("登录已过期,请重新登录。", "The token has expired; please sign in again.", 401),
    "unit-missing": Text(
        "登录凭证没有写明所属单位,请联系管理员。", "The token names no unit; please ask your administrator.", 403
    ),
    "forbidden": Text("您没有办理此事的权限。", "You do not have the permission for this.", 403),
    "issuer-away": Text(
        "登录服务暂时联系不上,请稍后再试。", "The sign-in service cannot be reached; please try again shortly.", 503
    ),
    # finding
    "not-found": Text("没有找到,或不在您的管辖范围内。", "Not found, or not within your scope.", 404),
    "route-unknown": Text("没有这个地址。", "There is nothing at this address.", 404),
    "method-not-allowed": Text(
        "这个地址不接受此种请求方法。", "This address does not take requests of this method.", 405
    ),
    "cursor-invalid": Text(
        "翻页标记无效,请从第一页重新查询。", "The page cursor does not hold; please start from the first page.", 422
    ),
    "filter-unknown": Text("没有这个筛选条件,可用:{allowed}。", "There is no such filter; there are: {allowed}.", 422),
    "filter-invalid": Text("筛选条件的值格式不对。", "The value of the filter has the wrong form.", 422),
    "limit-invalid": Text(
        "每页条数应为 1 到 {most} 的整数。", "The page size is a whole number from 1 to {most}.", 422
    ),
    # the request as it came
    "invalid": Text("请求内容有误。", "The request is not right.", 422),
    "input-invalid": Text("填写的内容有误,请看各项说明。", "Some of the input is not right; see each field.", 422),
    "request-malformed": Text("请求无法读取。", "The request cannot be read.", 400),
    "head-too-large": Text("请求头过大。", "The head of the request is too large.", 431),
    "json-malformed": Text("请求正文不是有效的 JSON。", "The body is not valid JSON.", 400),
    "json-too-deep": Text("请求正文嵌套超过 {most} 层。", "The body is nested deeper than {most} levels.", 400),
    "json-key-repeated": Text("请求正文中同一字段出现了两次。", "A field stands twice in the body.", 400),
    "media-type-unknown": Text("请求正文应为 application/json。", "The body must be application/json.", 415),
    "content-encoding-unknown": Text("请求正文不得压缩。", "The body must not be compressed.", 415),
    "body-too-large": Text("请求正文超过 {most} 字节。", "The body is larger than {most} bytes.", 413),
    "body-too-slow": Text("请求正文未能及时送达,请重试。", "The body did not arrive in time; please try again.", 408),
    "header-repeated": Text("同一请求头出现了两次。", "A header stands twice.", 400),
    # requests twice
    "idempotency-key-missing": Text(
        "请求缺少 Idempotency-Key:请为每次提交生成一个新的标识,重试时沿用。",
        "The Idempotency-Key is missing: make a new one for each submission and keep it when repeating.",
        400,
    ),
    "idempotency-key-invalid": Text(
        "Idempotency-Key 应为 {least} 到 {most} 个可见 ASCII 字符。",
        "The Idempotency-Key is {least} to {most} visible ASCII characters.",
        400,
    ),
    "idempotency-key-reused": Text(
        "同一 Idempotency-Key 已用于另一份内容;新的提交请换新的标识。",
        "This Idempotency-Key was used for another body; take a new one for a new submission.",
        422,
    ),
    "if-match-invalid": Text("If-Match 应为带引号的版本号。", "If-Match is a version number in quotes.", 400),
    "version-moved": Text(
        "记录已被他人修改(现为第 {version} 版),请刷新后再试。",
        "The record has changed meanwhile (now version {version}); please load it again.",
        412,
    ),
    # keeping
    "conflict": Text("与当前状态冲突。", "The present state does not allow this.", 409),
    "contended": Text("多人正在同时修改,请稍后再试。", "Many are changing this at once; please try again.", 409),
    "already-exists": Text("该编号已被另一次登记使用。", "This id is taken by another registration.", 409),
    "nothing-created": Text("没有可登记的内容。", "There is nothing to register.", 409),
    "unit-unknown": Text(
        "没有这个单位,或不在您的管辖范围内。", "There is no such unit, or it is not within your scope.", 422
    ),
    "unit-differs": Text("登记的单位前后不一致。", "The unit differs from the one being registered for.", 422),
    "value-not-storable": Text(
        "内容含有无法保存的字符或数值。", "The input holds characters or numbers that cannot be stored.", 422
    ),
    "record-too-large": Text(
        "内容过大:{size} 字节,最多 {limit} 字节。", "Too large: {size} bytes, at most {limit}.", 422
    ),
    "write-refused": Text("未能保存,请联系管理员。", "It could not be stored; please tell the administrator.", 500),
    # personal data
    "purpose-missing": Text("查看个人信息须说明用途。", "Reading personal data needs a purpose.", 422),
    "purpose-too-long": Text("用途说明过长。", "The purpose is too long.", 422),
    "personal-data-absent": Text("没有登记此项个人信息。", "This personal data was not recorded.", 404),
    "personal-data-shredded": Text(
        "该辖区的个人信息已销毁。", "The personal data of this district was destroyed.", 404
    ),
    "sealing-broken": Text(
        "无法读取加密内容,请联系管理员。", "Sealed data cannot be read; please tell the administrator.", 500
    ),
    "searched-too-often": Text("查询过于频繁,请稍后再试。", "Searched too often; please wait a little.", 429),
    "phone-malformed": Text(
        "请填写电话号码:11 位手机号,或带区号的座机号,例如 0472-5201234;境外号码以 + 和国家代码开头。",
        "A telephone number is needed: a mobile one of 11 digits, or a landline with its area code, for example "
        "0472-5201234; one from abroad begins with + and the code of its country.",
        422,
    ),
    "phone-tail-malformed": Text(
        "请填写登记时所留电话的后四位数字。", "The last four digits of the telephone that was given are needed.", 422
    ),
    "value-empty": Text("内容不能为空。", "This must not be empty.", 422),
    # clocks
    "clock-fixed": Text("本系统的时钟不可拨动。", "The clock of this installation cannot be moved.", 409),
    "clock-never-back": Text("时钟只能向前拨。", "The clock moves forward only.", 422),
    "clock-not-followed": Text(
        "时钟尚未同步,请稍后再试。", "The clock has not been followed yet; please try again.", 409
    ),
    "duration-malformed": Text("时长格式不对。", "This is not a duration.", 422),
    # files
    "file-empty": Text("文件是空的。", "The file is empty.", 422),
    "file-too-large": Text("文件超过 {limit} 字节。", "The file is larger than {limit} bytes.", 422),
    "file-old-excel": Text(
        "这是旧版 Excel(.xls),请另存为 .xlsx。", "This is an old Excel file (.xls); save it as .xlsx.", 422
    ),
    "file-not-a-spreadsheet": Text("这不是 Excel 或 CSV 文件。", "This is neither an Excel nor a CSV file.", 422),
    "file-encoding": Text("无法识别文件的文字编码。", "The encoding of the file is not known.", 422),
    "file-unpacks-too-large": Text(
        "文件展开后超过 {limit} 字节。", "Unpacked, the file is larger than {limit} bytes.", 422
    ),
    "rows-too-many": Text("行数超过 {limit}。", "There are more than {limit} rows.", 422),
    "columns-too-many": Text("列数超过 {limit}。", "There are more than {limit} columns.", 422),
    "file-has-errors": Text(
        "文件有误,未导入任何内容;请按所列单元格改正后重新导入。",
        "The file has errors and nothing of it was taken; mend the cells listed and import it again.",
        422,
    ),
    "heading-missing": Text("第一行应为列名。", "The first row must name the columns.", 422),
    # load and trouble
    "busy": Text("系统繁忙,请稍后再试。", "The service is busy; please try again shortly.", 429),
    "rate-limited": Text(
        "请求过于频繁,请稍后再试。", "Too many requests from your address; please wait a little.", 429
    ),
    "stopping": Text("服务正在重启,请稍后再试。", "The service is restarting; please try again shortly.", 503),
    "unavailable": Text(
        "暂时无法确认是否已保存,请用同一标识重试。",
        "It is not known whether this was stored; please repeat with the same key.",
        503,
    ),
    "internal": Text(
        "系统出错,已记录;请稍后再试。", "Something went wrong and was recorded; please try again later.", 500
    ),
    # other services
    "peer-unknown": Text("尚未配置所需的服务。", "A service that this needs is not configured.", 503),
    "peer-away": Text(
        "所需的服务暂时联系不上,请稍后再试。", "A service that this needs cannot be reached; please try again.", 503
    ),
    "peer-forbids": Text(
        "所需的服务拒绝了本系统的请求,请联系管理员。",
        "A service that this needs refuses us; please tell the administrator.",
        403,
    ),
}
