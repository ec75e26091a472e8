/**
 * What column names usually mean. Pure tables and matching of names; `guess-columns.ts` weighs them against contents.
 */
import type { Role } from "./read-types.js";

/** Whole names, compared in lower case without separators; earlier ones are stronger. */
const WHOLE: Record<Role, readonly string[]> = {
  user: words(`userid user customerid customer custid customerno customernumber customercode memberid member clientid client uid visitorid visitor
    accountid account shopperid shopper buyerid buyer reviewerid reviewer personid person subscriberid patientid studentid playerid listenerid
    readerid holderaddress useraddress wallet walletaddress profileid profilename reviewprofilename username userkey usr iduser idcustomer cookieid
    deviceid voter toaddress`),
  item: words(`itemid item productid product stockcode sku articleid articleno articlenumber article asin parentasin isbn isbn13 isbn10 movieid movie filmid
    film bookid artistid songid trackid albumid musicid videoid gameid appid recipeid restaurantid businessid placeid venueid poi poiid newsid
    documentid docid courseid propertyid listingid hotelid eventitem upc ean gtin materialnumber material partno partnumber productcode
    itemcode itemno productno merchandiseid beerid beerbeerid animeid tokenid tokenaddress iditem idproduct itemkey productkey contentid
    song track artist book album game recipe content title productname itemname beername`),
  timestamp:
    words(`timestamp timestampms unixtimestamp unixtime unixreviewtime eventtime eventtimestamp invoicedate orderdate purchasedate transactiondate
    createdat createdon created datetime dateadded date reviewtime reviewdate orderedat purchasedat occurredat orderpurchasetimestamp tdat saledate salesdate
    visittime clicktime starttime time utc ts when day blocktimestamp datetimeutc ratedat listenedat playedat watchedat`),
  weight:
    words(`rating ratings score stars star overall reviewoverall bookrating reviewscore quantity qty units plays playcount playscount listencount listens
    weight strength preference confidence count cnt clicks views visits frequency times nbr noofitems amount balance value`),
  basket:
    words(`invoiceno invoice invoiceid invoicenumber orderid orderno ordernumber order transactionid transaction transactionno basketid basket cartid cart
    receiptid receipt receiptno ticketid ticketno billno billid sessionid session visitid tripid`),
};

/** Parts of names, tried when no whole name fits. */
const PART: Record<Role, RegExp> = {
  user: /^(user|customer|member|client|visitor|shopper|buyer|reviewer|subscriber|patient|student|listener|account|holder)s?(id|no|nr|num|number|code|key|hash|uuid|guid|address|name)?$|(user|customer|member|client|visitor|shopper|buyer|reviewer|account|profile)(id|no|code|key|name)$/,
  item: /(item|product|article|sku|stockcode|movie|film|book|artist|song|track|album|video|game|recipe|beer|business|listing|asin|isbn)s?(id|no|nr|num|number|code|key|uuid)$/,
  timestamp: /(timestamp|datetime|date|createdat|time|utc)$|^(date|time|timestamp)/,
  weight: /(rating|score|stars|quantity|qty|plays|playcount|weight|listens)$|^(rating|score|quantity|weight)/,
  basket: /(invoice|order|transaction|basket|cart|receipt|session)(id|no|nr|num|number|key|code)$/,
};

/** Columns worth keeping beside an item, by property. */
const PROPERTY: Record<string, readonly string[]> = {
  title:
    words(`title itemtitle producttitle booktitle movietitle songtitle name productname itemname itemdescription productdescription description stockdescription
    articlename beername artistname moviename song bookname prodname`),
  price: words(`price unitprice itemprice productprice listprice saleprice retailprice sellingprice priceeur priceusd`),
  category:
    words(`category categoryname productcategory itemcategory categoryid categorycode maincategory genre genres department departmentname section productgroup
    producttype style beerstyle aisle subcategory`),
};

function words(text: string): readonly string[] {
  return text.trim().split(/\s+/);
}

/** Lower case, letters and digits of any script only; a type suffix (`user_id:token`) is cut. */
export function plainName(column: string): string {
  const plain = column
    .replace(/:(token|float|token_seq|float_seq)$/, "")
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]/gu, "");
  return plain;
}

/** How well a name fits a role: above 0, 1 for the strongest whole name; 0 = not at all. */
export function nameFit(column: string, role: Role): number {
  const plain = plainName(column);
  const rank = WHOLE[role].indexOf(plain);
  if (rank >= 0) return 1 - rank / (2 * WHOLE[role].length);
  return PART[role].test(plain) ? 0.3 : 0;
}

/** The role that a name fits best, if any. */
export function roleOfName(column: string): Role | undefined {
  let best: { role: Role; fit: number } | undefined;
  for (const role of Object.keys(WHOLE) as Role[]) {
    const fit = nameFit(column, role);
    if (fit > (best?.fit ?? 0)) best = { role, fit };
  }
  return best?.role;
}

/** As `nameFit`, for an item property (title, price, category). */
export function propertyFit(column: string, property: string): number {
  const rank = PROPERTY[property].indexOf(plainName(column));
  return rank < 0 ? 0 : 1 - rank / (2 * PROPERTY[property].length);
}

export const propertyNames = Object.keys(PROPERTY);
